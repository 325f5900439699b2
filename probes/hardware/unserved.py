"""GPUs that are plugged in and that no probe can read, with what would change that.

Layout: Documentation/ABI/testing/sysfs-bus-pci in Linux: `bus/pci/devices/ADDRESS/class` is "0x030000" for VGA,
"0x030200" for 3D and "0x038000" for other display controllers, "0x120000" for processing accelerators; `driver` is a
link to the driver that serves it.
"""

import ctypes
from pathlib import Path

from ..sample import Devices
from .entries import entries, there
from .files import ROOT, read_text

_DISPLAYS = ("0x0300", "0x0302", "0x0380", "0x1200")
_MAKERS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_READ = {"NVIDIA": {"nvidia"}, "AMD": {"amdgpu"}, "Intel": {"i915", "xe"}}
"""Drivers that llmtop reads."""
_WANTED = {"NVIDIA": "NVIDIA's own driver", "AMD": "amdgpu", "Intel": "i915 or xe"}
_AWAY = {"vfio-pci": "it is set apart for virtual machines", "pci-stub": "it is set apart for virtual machines"}


class UnservedProbe:
    """Looks once: drivers of GPUs are not changed while somebody watches them."""

    name = "unserved"

    def __init__(self, *, period: float = 1.0, root: Path = ROOT, nvml_there: bool | None = None) -> None:
        """`nvml_there` says whether NVIDIA's library can be loaded; None to try."""
        self.period = period
        self._root = root
        self._nvml_there = nvml_there
        self._found: Devices | None = None

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[UnservedProbe]":
        """Empty where every GPU is read by somebody."""
        probe = cls(root=root)
        return [probe] if probe.read().problem else []

    def read(self) -> Devices:
        """No devices, and one sentence about those that are not read."""
        if self._found is None:
            told = [words for folder in self._displays() if (words := self._trouble(folder))]
            self._found = Devices(devices=(), problem="; ".join(told) or None)
        return self._found

    def _displays(self) -> list[Path]:
        folders = entries(self._root / "sys/bus/pci/devices", "*")
        return [each for each in folders if (read_text(each / "class") or "").startswith(_DISPLAYS)]

    def _trouble(self, folder: Path) -> str | None:
        vendor, device = read_text(folder / "vendor") or "", read_text(folder / "device") or ""
        maker = _MAKERS.get(vendor)
        if maker is None:
            return None
        driver = _driver(folder)
        what = f"{maker} GPU {vendor[2:]}:{device[2:]} at {folder.name}"
        if driver in _READ[maker]:
            if maker != "NVIDIA" or self._has_nvml():
                return None
            return (
                f"{what}: its driver is loaded, but the library libnvidia-ml.so.1 is not here; "
                "in a container, start it with access to the GPUs (docker run --gpus all)"
            )
        if driver in _AWAY:
            return f"{what}: {_AWAY[driver]} ({driver})"
        served = f"the driver {driver} tells nothing of it" if driver else "no driver serves it"
        return f"{what}: {served}; install {_WANTED[maker]}"

    def _has_nvml(self) -> bool:
        if self._nvml_there is None:
            self._nvml_there = _loads()
        return self._nvml_there


def _driver(folder: Path) -> str | None:
    link = folder / "driver"
    return link.resolve().name if there(link) else None


def _loads() -> bool:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True
