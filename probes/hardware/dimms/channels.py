"""Which slots share a channel, by what makers call them, and what each channel moves."""

import re
from collections.abc import Callable, Iterable

from msgspec import Struct

from .slot import MemorySlot

Key = tuple[str, ...]


class Channel(Struct, frozen=True, kw_only=True):
    """One memory channel that has a slot."""

    mts: int | None
    """Mega-transfers a second, as configured; the slowest of its modules. None when unknown or empty."""
    bits: int
    size_bytes: int = 0
    """Of its modules together; 0 when it is empty."""


def named_channels(slots: Iterable[MemorySlot], key: Callable[[MemorySlot], Key | None]) -> list[Channel] | None:
    """The channels, empty ones too; None where the name of a populated slot does not tell."""
    groups: dict[Key, list[MemorySlot]] = {}
    for slot in slots:
        name = key(slot)
        if name is not None:
            groups.setdefault(name, []).append(slot)
        elif not slot.empty:
            return None
    return [_channel([slot for slot in group if not slot.empty]) for group in groups.values()]


def lone_channels(modules: Iterable[MemorySlot]) -> list[Channel]:
    """Each module taken for a channel of its own."""
    return [_channel([module]) for module in modules]


def channel_key(slot: MemorySlot) -> Key | None:
    """What names a channel in "ChannelA-DIMM0", "P0 CHANNEL A", "Controller1-DIMMB1", "CPU1_DIMM_C2"; else None.

    Names that only number the slots ("A1" of Dell, "PROC 1 DIMM 3" of HPE) do not say which share a channel.
    """
    text = f"{slot.device} {slot.bank}".upper()
    channel = (
        re.search(r"CHANNEL[ _-]?([A-Z]|\d+)", text)
        or re.search(r"DIMM[ _-]?([A-Z])\d?(?![A-Z0-9_])", text)
        or re.search(r"\bCPU\d_([A-Z])\d\b", text)
    )
    if not channel:
        return None
    above = re.findall(r"(?<![A-Z])(CPU|PROC|P|SOCKET|NODE|CONTROLLER|MC)[ _-]?(\d+)", text)
    return (*sorted({f"{what}{number}" for what, number in above}), channel[1])


def poweredge_key(per_socket: int) -> Callable[[MemorySlot], Key | None]:
    """How Dell PowerEdge servers count: a letter a socket, the first slots of all its channels, then the second ones.

    "A1 and A7" share a channel of six: Installation and Service Manual of the R740xd, "System memory guidelines";
    rasdaemon's labels/dell has the same for those of four channels.
    """

    def key(slot: MemorySlot) -> Key | None:
        found = re.fullmatch(r"(?:DIMM[ _]?)?([A-Z])(\d{1,2})", slot.device.upper())
        return (found[1], str((int(found[2]) - 1) % per_socket)) if found else None

    return key


def _channel(modules: list[MemorySlot]) -> Channel:
    speeds = [module.speed_mts for module in modules]
    known = [speed for speed in speeds if speed]
    return Channel(
        mts=min(known) if known and len(known) == len(speeds) else None,
        bits=modules[0].width_bits if modules else 0,
        size_bytes=sum(module.size_bytes or 1 for module in modules),
    )
