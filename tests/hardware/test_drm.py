"""Graphics cards of any maker: which there are, their links, and whether they sleep."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.drm.card import DrmCard, asleep, drm_cards, pcie
from llmtop.probes.sample import Pcie


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / ("class" if name == "kind" else name)).write_text(content + "\n", "utf-8")
    return folder


def port(folder: Path, vendor: str, speed: str, width: str, fastest: str) -> Path:
    return put(
        folder,
        kind="0x060400",
        vendor=vendor,
        current_link_speed=speed,
        current_link_width=width,
        max_link_speed=fastest,
        max_link_width=width if width == "1" else "16",
    )


def card(root: Path, number: int, place: str, driver: str, pci_id: str) -> Path:
    vendor, _, device = pci_id.partition(":")
    folder = put(
        root / "sys/devices" / place,
        uevent=f"DRIVER={driver}\nPCI_ID={vendor.upper()}:{device.upper()}\nPCI_SLOT_NAME={Path(place).name}",
        vendor=f"0x{vendor}",
        revision="0xc8",
    )
    entry = root / f"sys/class/drm/card{number}"
    entry.mkdir(parents=True)
    (entry / "device").symlink_to(Path("../../../devices") / place)
    return folder


def test_cards_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    assert drm_cards(tmp_path, ("amdgpu",)) == []
    card(tmp_path, 10, "pci0000:00/0000:00:02.0", "i915", "8086:a780")
    folder = card(tmp_path, 2, "pci0000:00/0000:00:01.0/0000:03:00.0", "amdgpu", "1002:744c")
    put(folder / "hwmon/hwmon4", name="amdgpu")
    (tmp_path / "sys/class/drm/card2-DP-1").mkdir()
    (tmp_path / "sys/class/drm/renderD128").mkdir()
    found = drm_cards(tmp_path, ("amdgpu", "i915"))
    assert [each.driver for each in found] == ["amdgpu", "i915"]
    place = tmp_path / "sys/class/drm/card2/device"
    assert found[0] == DrmCard(
        folder=place,
        driver="amdgpu",
        pci_id="1002:744c",
        pci_address="0000:03:00.0",
        hwmon=place / "hwmon/hwmon4",
        revision=0xC8,
    )
    assert [each.pci_id for each in drm_cards(tmp_path, ("i915",))] == ["8086:a780"]


def test_link_of_a_card_without_a_switch(tmp_path: Path) -> None:
    port(tmp_path / "sys/devices/pci0000:00/0000:00:01.0", "0x1022", "8.0 GT/s PCIe", "8", "8.0 GT/s PCIe")
    folder = card(tmp_path, 0, "pci0000:00/0000:00:01.0/0000:01:00.0", "amdgpu", "1002:67df")
    put(folder, current_link_speed="8.0 GT/s PCIe", current_link_width="8")
    put(folder, max_link_speed="16.0 GT/s PCIe", max_link_width="16")
    assert pcie(folder) == Pcie(generation=3, width=8, generation_max=3, width_max=16)
    assert pcie(tmp_path / "sys/class/drm/card0/device") == pcie(folder)


def test_intel_card_behind_its_own_switch_and_a_port_of_intel(tmp_path: Path) -> None:
    """Arc says 2.5 GT/s x1 of itself. The port of the machine is Intel's too, and no part of the card."""
    root = tmp_path / "sys/devices/pci0000:00/0000:00:01.0"
    port(root, "0x8086", "16.0 GT/s PCIe", "16", "32.0 GT/s PCIe")
    port(root / "0000:01:00.0", "0x8086", "16.0 GT/s PCIe", "16", "16.0 GT/s PCIe")
    port(root / "0000:01:00.0/0000:02:01.0", "0x8086", "2.5 GT/s PCIe", "1", "2.5 GT/s PCIe")
    place = "pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:01.0/0000:03:00.0"
    folder = card(tmp_path, 0, place, "xe", "8086:e20b")
    put(folder, current_link_speed="2.5 GT/s PCIe", current_link_width="1")
    put(folder, max_link_speed="2.5 GT/s PCIe", max_link_width="1")
    assert pcie(folder) == Pcie(generation=4, width=16, generation_max=4, width_max=16)


def test_link_that_nobody_knows(tmp_path: Path) -> None:
    folder = card(tmp_path, 0, "pci0000:00/0000:00:02.0", "i915", "8086:a780")
    assert pcie(folder) is None
    put(folder, current_link_speed="Unknown", current_link_width="0", max_link_speed="Unknown", max_link_width="255")
    assert pcie(folder) is None
    assert pcie(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("status", "sleeps"),
    [("suspended", True), ("suspending", True), ("active", False), ("resuming", False), ("unsupported", False)],
)
def test_whether_a_card_sleeps(tmp_path: Path, status: str, sleeps: bool) -> None:
    put(tmp_path / "power", runtime_status=status)
    assert asleep(tmp_path) is sleeps
    assert asleep(tmp_path / "nowhere") is False
