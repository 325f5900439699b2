"""Memory channels and their speed from the firmware's SMBIOS table.

Layout: DMTF DSP0134 (SMBIOS 3.x), section 6.1.2 for the structure header, 6.1.3 for strings, 7.18 for "Memory Device
(Type 17)": 0Ah data width in bits, 0Ch size, 10h device locator, 11h bank locator, 15h speed in MT/s,
20h configured speed (since 2.7), 58h extended configured speed (since 3.3, used when 20h holds FFFFh).
Linux shows the table to root as `sys/firmware/dmi/tables/DMI`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from .files import ROOT

_END = 127
_MEMORY_DEVICE = 17


class Channel(Struct, frozen=True):
    """One memory channel."""

    mts: int
    """Mega-transfers a second, as configured."""
    bits: int


class Module(Struct, frozen=True):
    """One populated memory slot."""

    mts: int
    bits: int
    device_locator: str
    bank_locator: str


def memory_channels(root: Path = ROOT) -> tuple[Channel, ...] | None:
    """The populated channels; None when the table cannot be read or the slots' names do not tell the channels."""
    try:
        table = (root / "sys/firmware/dmi/tables/DMI").read_bytes()
    except OSError:
        return None
    channels: dict[tuple[str, ...], Channel] = {}
    for module in modules(table):
        key = channel_key(module.device_locator, module.bank_locator)
        if key is None or not module.mts:
            return None
        channels[key] = Channel(module.mts, module.bits)
    return tuple(channels.values()) or None


def modules(table: bytes) -> Iterator[Module]:
    """The populated slots of a table; a truncated table gives those before the cut."""
    for kind, body, strings in _structures(table):
        if kind != _MEMORY_DEVICE or len(body) < 0x15 or _word(body, 0x0C) == 0:
            continue
        bits = _word(body, 0x0A)
        yield Module(
            mts=_speed(body),
            bits=bits if 0 < bits <= 64 else 64,
            device_locator=_string(strings, body[0x10]),
            bank_locator=_string(strings, body[0x11]),
        )


def channel_key(device_locator: str, bank_locator: str) -> tuple[str, ...] | None:
    """What names a channel in "ChannelA-DIMM0", "P0 CHANNEL A", "Controller1-DIMMB1", "CPU1_DIMM_C2"; else None.

    Names that only number the slots ("A1" of Dell, "PROC 1 DIMM 3" of HPE) do not say which share a channel.
    """
    text = f"{device_locator} {bank_locator}".upper()
    channel = re.search(r"CHANNEL[ _-]?([A-Z]|\d+)", text) or re.search(r"DIMM[ _-]?([A-Z])\d?(?![A-Z0-9_])", text)
    if not channel:
        return None
    above = re.findall(r"(CPU|PROC|P|SOCKET|NODE|CONTROLLER|MC)[ _-]?(\d+)", text)
    return (*sorted({f"{what}{number}" for what, number in above}), channel[1])


def _structures(table: bytes) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """Type, formatted area and strings of each structure."""
    start = 0
    while start + 4 <= len(table):
        kind, length = table[start], table[start + 1]
        end = table.find(b"\0\0", start + length)
        if length < 4 or end < 0 or kind == _END:
            return
        yield kind, table[start : start + length], table[start + length : end].split(b"\0")
        start = end + 2


def _word(body: bytes, offset: int, size: int = 2) -> int:
    """Little-endian number; 0 when the structure is too old to have it."""
    return int.from_bytes(body[offset : offset + size], "little") if len(body) >= offset + size else 0


def _speed(body: bytes) -> int:
    """MT/s: as configured, else as the module can; 0 when unknown."""
    configured = _word(body, 0x20)
    if configured == 0xFFFF:
        configured = _word(body, 0x58, 4) & 0x7FFFFFFF
    return configured or _word(body, 0x15) % 0xFFFF


def _string(strings: list[bytes], number: int) -> str:
    """Strings are numbered from 1; 0 means none."""
    return strings[number - 1].decode("latin-1").strip() if 0 < number <= len(strings) else ""
