"""Graphics cards as Linux shows them, whoever made them.

Layout: `class/drm/cardN/device` is the PCI device; its `uevent` holds DRIVER, PCI_ID and PCI_SLOT_NAME, `hwmon/hwmonN`
its sensors (Documentation/ABI/testing/sysfs-bus-pci and Documentation/hwmon/sysfs-interface.rst in Linux).
"""

import platform
import re
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from ..sample import Pcie
from .files import read_number, read_text

_GENERATIONS = {
    "2.5": 1,
    "5.0": 2,
    "5": 2,
    "8.0": 3,
    "8": 3,
    "16.0": 4,
    "16": 4,
    "32.0": 5,
    "32": 5,
    "64.0": 6,
    "64": 6,
}
"""PCI Express by its GT/s."""


class DrmCard(Struct, frozen=True, kw_only=True):
    """One card and where its files are."""

    folder: Path
    """That of the PCI device."""
    driver: str
    """The kernel's: "amdgpu", "i915", "xe"."""
    pci_id: str | None
    """Vendor and device, as "1002:744c"."""
    pci_address: str | None
    """As "0000:03:00.0"."""
    hwmon: Path | None
    """The folder of its sensors."""


def drm_cards(root: Path, drivers: Collection[str]) -> list[DrmCard]:
    """The cards of these drivers, in the order of their numbers."""
    found: list[DrmCard] = []
    folders = (root / "sys/class/drm").glob("card[0-9]*")
    for entry in sorted((each for each in folders if each.name[4:].isdigit()), key=lambda each: int(each.name[4:])):
        told = _uevent(entry / "device")
        if told.get("DRIVER") in drivers:
            found.append(
                DrmCard(
                    folder=entry / "device",
                    driver=told["DRIVER"],
                    pci_id=told["PCI_ID"].lower() if "PCI_ID" in told else None,
                    pci_address=told.get("PCI_SLOT_NAME"),
                    hwmon=next(iter(sorted((entry / "device/hwmon").glob("hwmon*"))), None),
                )
            )
    return found


def pcie(folder: Path) -> Pcie | None:
    """The link of a PCI device; None where the kernel tells nothing of one."""
    found = Pcie(
        generation=_generation(read_text(folder / "current_link_speed")),
        width=read_number(folder / "current_link_width") or None,
        generation_max=_generation(read_text(folder / "max_link_speed")),
        width_max=read_number(folder / "max_link_width") or None,
    )
    return found if found != Pcie() else None


def driver_words(driver: str) -> str:
    """A driver that comes with the kernel has its version: "amdgpu, Linux 6.12.1"."""
    return f"{driver}, {platform.system()} {platform.release()}"


def _uevent(folder: Path) -> dict[str, str]:
    lines = (read_text(folder / "uevent") or "").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _generation(speed: str | None) -> int | None:
    """Of "16.0 GT/s PCIe"; None for "Unknown"."""
    number = re.match(r"[\d.]+", speed or "")
    return _GENERATIONS.get(number[0]) if number else None
