"""Memory modules from the database of udev, which everybody may read.

systemd's helper `dmi_memory_id` (src/udev/dmi_memory_id, since systemd 248) reads the SMBIOS table as root and leaves
what it says as properties of the device `dmi:id` (rules.d/70-memory.rules): MEMORY_DEVICE_0_LOCATOR, _BANK_LOCATOR,
_SIZE in bytes or _PRESENT=0, _TYPE, _FORM_FACTOR, _DATA_WIDTH, _SPEED_MTS, _CONFIGURED_SPEED_MTS. The database is
`run/udev/data/+dmi:id` with mode 0644, a line a property after "E:" (src/libsystemd/sd-device/device-private.c).
"""

import re
from pathlib import Path

from ..files import ROOT, read_text
from .slot import MemorySlot

_CORRECTION = {"Single-bit ECC": True, "Multi-bit ECC": True}
_NAME = re.compile(r"E:MEMORY_DEVICE_(\d+)_(\w+)=(.*)")
_NO_TYPE = {"Unknown", "Other", "<OUT OF SPEC>", "DRAM", ""}
"""Where the type is newer than the helper, or the firmware does not say."""
_NO_MAIN_MEMORY = {"ROM", "Flash", "EEPROM", "FEPROM", "EPROM", "Logical non-volatile device"}
_MODULES = {"DIMM", "SODIMM"}
_BEYOND = 0xFFFF
"""Stands for a speed that is told elsewhere in the table, where the helper does not look."""


def udev_slots(root: Path = ROOT) -> tuple[MemorySlot, ...]:
    """All slots, empty ones too; none where udev does not tell them."""
    told: dict[int, dict[str, str]] = {}
    for line in _lines(root):
        if found := _NAME.fullmatch(line):
            told.setdefault(int(found[1]), {})[found[2]] = found[3].strip()
    return tuple(
        _slot(facts)
        for _, facts in sorted(told.items())
        if facts.get("TYPE") not in _NO_MAIN_MEMORY and ("SIZE" in facts or "PRESENT" in facts)
    )


def udev_corrects_errors(root: Path = ROOT) -> bool | None:
    """Whether the main memory does. The helper prints no MEMORY_ARRAY_EC_TYPE where it does not."""
    told = dict(line.removeprefix("E:").split("=", 1) for line in _lines(root) if "=" in line)
    if "MEMORY_ARRAY_NUM_DEVICES" not in told:
        return None
    return _CORRECTION.get(told["MEMORY_ARRAY_EC_TYPE"]) if "MEMORY_ARRAY_EC_TYPE" in told else False


def _lines(root: Path) -> list[str]:
    return (read_text(root / "run/udev/data/+dmi:id") or "").splitlines()


def _slot(facts: dict[str, str]) -> MemorySlot:
    kind = facts.get("TYPE", "")
    return MemorySlot(
        device=facts.get("LOCATOR", ""),
        bank=facts.get("BANK_LOCATOR", ""),
        size_bytes=_number(facts.get("SIZE")) or (0 if facts.get("PRESENT", "0") == "0" else None),
        type=None if kind in _NO_TYPE else kind,
        mts=_speed(facts.get("CONFIGURED_SPEED_MTS")),
        rated_mts=_speed(facts.get("SPEED_MTS")),
        bits=_number(facts.get("DATA_WIDTH")) or 0,
        module=facts.get("FORM_FACTOR") in _MODULES,
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,18}", text) else None


def _speed(text: str | None) -> int | None:
    speed = _number(text)
    return speed if speed and speed != _BEYOND else None
