"""GPUs that are there and that nobody reads: layout of Linux' sysfs-bus-pci."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.unserved import UnservedProbe


def plug(root: Path, address: str, pci_id: str, kind: str, driver: str | None) -> None:
    vendor, device = pci_id.split(":")
    folder = root / "sys/bus/pci/devices" / address
    folder.mkdir(parents=True)
    for name, value in (("vendor", f"0x{vendor}"), ("device", f"0x{device}"), ("class", kind)):
        (folder / name).write_text(f"{value}\n")
    if driver:
        target = root / "sys/bus/pci/drivers" / driver
        target.mkdir(parents=True, exist_ok=True)
        (folder / "driver").symlink_to(target)


@pytest.mark.parametrize(
    ("pci_id", "driver", "nvml", "said"),
    [
        ("10de:2684", "nvidia", True, None),
        ("10de:2684", "nvidia", False, "docker run --gpus all"),
        ("10de:2684", "nouveau", False, "the driver nouveau tells nothing of it; install NVIDIA's own driver"),
        ("10de:2684", "vfio-pci", False, "set apart for virtual machines"),
        ("10de:2684", None, False, "no driver serves it; install NVIDIA's own driver"),
        ("1002:744c", "amdgpu", False, None),
        ("1002:6819", "radeon", False, "install amdgpu"),
        ("8086:e20b", "xe", False, None),
        ("8086:e20b", None, False, "Intel GPU 8086:e20b at 0000:01:00.0: no driver serves it"),
        ("1234:1111", "bochs-drm", False, None),
        ("1a03:2000", "ast", False, None),
    ],
)
def test_each_card_is_read_or_said(
    tmp_path: Path, pci_id: str, driver: str | None, nvml: bool, said: str | None
) -> None:
    plug(tmp_path, "0000:01:00.0", pci_id, "0x030000", driver)
    problem = UnservedProbe(root=tmp_path, nvml_there=nvml).read().problem
    assert (problem is None) if said is None else (problem is not None and said in problem)


def test_only_displays_count_and_the_absence_of_all_is_no_trouble(tmp_path: Path) -> None:
    assert UnservedProbe.detect(tmp_path) == []
    plug(tmp_path, "0000:00:1f.3", "8086:7a50", "0x040300", None)
    assert UnservedProbe.detect(tmp_path) == []
    plug(tmp_path, "0000:17:00.0", "1002:74a1", "0x120000", None)
    (probe,) = UnservedProbe.detect(tmp_path)
    assert "1002:74a1" in (probe.read().problem or "")
