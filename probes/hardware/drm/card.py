"""Graphics cards as Linux shows them, whoever made them.

Layout: `class/drm/cardN/device` is the PCI device; its `uevent` holds DRIVER, PCI_ID and PCI_SLOT_NAME, `hwmon/hwmonN`
its sensors (Documentation/ABI/testing/sysfs-bus-pci and Documentation/hwmon/sysfs-interface.rst in Linux). The folders
of `devices` are nested as the machine is wired: a card lies in that of the port that it is plugged into.
"""

import platform
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec import Struct

from ...sample import Pcie
from ..entries import entries
from ..files import read_number, read_text

_GENERATIONS = {
    "2.5": 1,
    "5": 2,
    "5.0": 2,
    "8": 3,
    "8.0": 3,
    "16": 4,
    "16.0": 4,
    "32": 5,
    "32.0": 5,
    "64": 6,
    "64.0": 6,
}
"""PCI Express by its GT/s."""
_BRIDGE = "0x0604"
"""The class of what joins two PCI buses: a port, or half of a switch."""
_ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


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
    revision: int | None = None
    """What tells products of one PCI id apart."""


def drm_cards(root: Path, drivers: Collection[str]) -> list[DrmCard]:
    """The cards of these drivers, in the order of their numbers. Wakes none that sleeps."""
    found: list[DrmCard] = []
    folders = entries(root / "sys/class/drm", "card[0-9]*")
    for entry in sorted((each for each in folders if each.name[4:].isdigit()), key=lambda each: int(each.name[4:])):
        folder = entry / "device"
        told = _uevent(folder)
        if told.get("DRIVER") in drivers:
            found.append(
                DrmCard(
                    folder=folder,
                    driver=told["DRIVER"],
                    pci_id=told["PCI_ID"].lower() if "PCI_ID" in told else None,
                    pci_address=told.get("PCI_SLOT_NAME"),
                    hwmon=next(iter(entries(folder / "hwmon", "hwmon*")), None),
                    revision=read_number(folder / "revision"),
                )
            )
    return found


def asleep(folder: Path) -> bool:
    """Whether the kernel has switched a PCI device off until somebody needs it; to read its sensors would wake it.

    Documentation/ABI/testing/sysfs-devices-power: `power/runtime_status`.
    """
    return read_text(folder / "power/runtime_status") in {"suspended", "suspending"}


def pcie(folder: Path) -> Pcie | None:
    """The link of a card to the host, with what both of its ends can do; None where the kernel tells nothing of one.

    Cards of AMD and Intel carry a switch of their own, and their link to that one tells nothing: counted is that of
    the outermost port of the same maker that is no port of the machine itself.
    """
    near = _outermost(folder.resolve())
    far = near.parent if _joins(near.parent) else None
    found = Pcie(
        generation=_generation(read_text(near / "current_link_speed")),
        width=_width(near / "current_link_width"),
        generation_max=_least(_generation(read_text(end / "max_link_speed")) for end in (near, far) if end),
        width_max=_least(_width(end / "max_link_width") for end in (near, far) if end),
    )
    return found if found != Pcie() else None


def driver_words(driver: str) -> str:
    """A driver that comes with the kernel has its version: "amdgpu, Linux 6.12.1"."""
    return f"{driver}, {platform.system()} {platform.release()}"


def _uevent(folder: Path) -> dict[str, str]:
    lines = (read_text(folder / "uevent") or "").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _outermost(device: Path) -> Path:
    """The port of a card's own switch that is wired to the machine, or the card itself."""
    maker = read_text(device / "vendor")
    while maker and _joins(device.parent) and read_text(device.parent / "vendor") == maker:
        if not _ADDRESS.fullmatch(device.parent.parent.name):
            break  # It hangs on no other device: a port of the machine, be it of the same maker.
        device = device.parent
    return device


def _joins(folder: Path) -> bool:
    return (read_text(folder / "class") or "").startswith(_BRIDGE)


def _width(path: Path) -> int | None:
    """Lanes; where there is no link the kernel says 0, of a maximum that it does not know 255."""
    lanes = read_number(path)
    return lanes if lanes and lanes <= 32 else None


def _least(values: Iterable[int | None]) -> int | None:
    return min((each for each in values if each is not None), default=None)


def _generation(speed: str | None) -> int | None:
    """Of "16.0 GT/s PCIe"; None for "Unknown"."""
    number = re.match(r"[\d.]+", speed or "")
    return _GENERATIONS.get(number[0]) if number else None
