"""Memory modules and the name of the CPU from the firmware's SMBIOS table.

Layout: DMTF DSP0134 (SMBIOS 3.x), section 6.1.2 for the structure header, 6.1.3 for strings, 7.18 for "Memory Device
(Type 17)": 0Ah data width in bits, 0Ch size, 0Eh form factor, 10h device locator, 11h bank locator, 12h type, 15h speed
in MT/s, 1Ch extended size (since 2.7, used when 0Ch holds 7FFFh), 20h configured speed (since 2.7), 54h and 58h
extended speeds (since 3.3, used when 15h or 20h holds FFFFh); 7.5 for "Processor
Information (Type 4)": 10h version; 7.17 for "Physical Memory Array (Type 16)": 05h use, 06h error correction.
Linux shows the table to root as `sys/firmware/dmi/tables/DMI`.
"""

from collections.abc import Iterator

from .slot import MemorySlot

_END = 127
_PROCESSOR = 4
_MEMORY_ARRAY = 16
_MEMORY_DEVICE = 17

_TYPES = {
    0x0F: "SDRAM",
    0x12: "DDR",
    0x13: "DDR2",
    0x18: "DDR3",
    0x1A: "DDR4",
    0x1B: "LPDDR",
    0x1C: "LPDDR2",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
    0x24: "HBM3",
}
"""Section 7.18.2."""

_NO_MAIN_MEMORY = {0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x1F}
"""ROM, flash and EPROM, which hold the firmware, and memory that is not volatile: they feed no inference."""

_SYSTEM_MEMORY = 0x03
_CORRECTION = {0x03: False, 0x05: True, 0x06: True}
"""None, single-bit and multi-bit (section 7.17.3)."""

_MODULES = {0x09, 0x0D, 0x0F}
"""DIMM, SODIMM and FB-DIMM (section 7.18.1)."""


def slots(table: bytes) -> Iterator[MemorySlot]:
    """All slots of a table, empty ones too; a truncated table gives those before the cut."""
    for kind, body, strings in _structures(table):
        if kind != _MEMORY_DEVICE or len(body) < 0x15 or body[0x12] in _NO_MAIN_MEMORY:
            continue
        yield MemorySlot(
            device=_string(strings, body[0x10]),
            bank=_string(strings, body[0x11]),
            size_bytes=_size_bytes(body),
            type=_TYPES.get(body[0x12]),
            mts=_speed(body, 0x20, 0x58),
            rated_mts=_speed(body, 0x15, 0x54),
            bits=_word(body, 0x0A),
            module=body[0x0E] in _MODULES,
        )


def corrects_errors(table: bytes) -> bool | None:
    """Whether the main memory does; None where the table does not say."""
    for kind, body, _ in _structures(table):
        if kind == _MEMORY_ARRAY and len(body) > 0x06 and body[0x05] == _SYSTEM_MEMORY:
            return _CORRECTION.get(body[0x06])
    return None


def processor_version(table: bytes) -> str | None:
    """What the firmware calls the first CPU: "Ampere(R) Altra(R) Processor Q80-30"."""
    for kind, body, strings in _structures(table):
        if kind == _PROCESSOR and len(body) > 0x10:
            return _string(strings, body[0x10]) or None
    return None


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


def _size_bytes(body: bytes) -> int | None:
    """0 for an empty slot; None for a size that is not told. Bit 15 gives the unit: KiB, else MiB."""
    size = _word(body, 0x0C)
    if size == 0xFFFF:
        return None
    if size == 0x7FFF:
        return (_word(body, 0x1C, 4) & 0x7FFFFFFF) << 20
    return (size & 0x7FFF) << (10 if size & 0x8000 else 20)


def _speed(body: bytes, offset: int, extended: int) -> int | None:
    speed = _word(body, offset)
    return (_word(body, extended, 4) & 0x7FFFFFFF if speed == 0xFFFF else speed) or None


def _string(strings: list[bytes], number: int) -> str:
    """Strings are numbered from 1; 0 means none."""
    return strings[number - 1].decode("latin-1").strip() if 0 < number <= len(strings) else ""
