"""GPUs of systems on a chip: those whose clock the kernel's devfreq steers.

Layout: Documentation/ABI/testing/sysfs-class-devfreq in Linux: `class/devfreq/NAME/cur_freq` and `max_freq` in Hz. NAME
is that of the platform device, which `device` leads to: "fb000000.gpu", "17000000.gv11b". `device/of_node` is its place
in the device tree: `name`, and `compatible` with a zero byte behind each word (Devicetree Specification 2.3.1).
"""

from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import ROOT, read_measure, read_number, read_text

_KINDS = ("gpu", "mali", "gm20b", "gp10b", "gv11b", "ga10b")
"""How the names end; the last four are NVIDIA's of Jetson Nano, TX2, Xavier and Orin, until JetPack 5."""

MOST_MHZ = 10_000.0
"""Faster runs no clock: nonsense."""


class DevfreqGpu(Struct, frozen=True, kw_only=True):
    """One GPU and where its files are."""

    name: str
    folder: Path
    """Of devfreq."""
    device: Path
    compatible: tuple[str, ...]
    """The most exact word first: "nvidia,ga10b", "rockchip,rk3588-mali"."""

    def clock_mhz(self) -> float | None:
        """As it runs now."""
        return read_measure(self.folder / "cur_freq", 1e6, MOST_MHZ) or None

    @property
    def maker(self) -> str:
        """Before the comma of `compatible`: "nvidia", "rockchip", "qcom"; empty when that is not told."""
        return self.compatible[0].partition(",")[0] if self.compatible else ""


def devfreq_gpus(root: Path = ROOT) -> list[DevfreqGpu]:
    """Finds them, in the order of their names."""
    found: list[DevfreqGpu] = []
    for folder in entries(root / "sys/class/devfreq", "*"):
        device = folder / "device"
        node = (read_text(device / "of_node/name") or "").strip("\0")
        if node == "gpu" or folder.name.rpartition(".")[2] in _KINDS:
            words = (read_text(device / "of_node/compatible") or "").split("\0")
            compatible = tuple(word for word in words if word)
            found.append(DevfreqGpu(name=folder.name, folder=folder, device=device, compatible=compatible))
    return found


def gpu_temperature(root: Path = ROOT) -> tuple[Path, ...]:
    """The files of the thermal zones of the GPU: "GPU-therm", "gpu-thermal", "gpuss-0-thermal"."""
    return zones(root, "gpu")


def zones(root: Path, beginning: str) -> tuple[Path, ...]:
    """Those whose type begins so (Documentation/driver-api/thermal/sysfs-api.rst): thousandths of a degree Celsius."""
    folders = entries(root / "sys/class/thermal", "thermal_zone*")
    return tuple(at / "temp" for at in folders if (read_text(at / "type") or "").lower().startswith(beginning))


def hottest(files: tuple[Path, ...]) -> float | None:
    """Degrees of the hottest zone; those of a part that is switched off cannot be read, and some drivers say 0."""
    read = [value / 1000 for file in files if (value := read_number(file)) and -50_000 < value < 150_000]
    return max(read, default=None)
