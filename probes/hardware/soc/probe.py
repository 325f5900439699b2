"""GPUs of other systems on a chip: Mali and Adreno, as in RK3588 and Snapdragon X.

Beyond devfreq: Arm's driver mali_kbase has `gpuinfo` beside the device ("Mali-G610 4 cores r0p0 0xA867"), and
Rockchip's kernels a `load` of devfreq, "37@600000000Hz", in percent. Qualcomm's kernels have `class/kgsl/kgsl-3d0` with
`gpu_model` and `gpu_busy_percentage` ("12 %"). Upstream drivers (panthor, msm) have neither, and `compatible` must do.
"""

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from ...sample import Device, Devices
from ..cards import Cards
from ..entries import entries, there
from ..files import ROOT, read_text
from ..host.main_memory import MainMemory
from .devfreq import DevfreqGpu, devfreq_gpus, gpu_temperature, hottest
from .processes import SocProcesses

_DEVICES = ("/dev/mali", "/dev/kgsl")
_INFO = re.compile(r"(Mali-\S+)(?: (\d+) cores)?")
_PERCENT = re.compile(r"(\d{1,3})\s*(?:@|%|$)")
_VENDORS = {"arm": "Arm", "rockchip": "Rockchip", "qcom": "Qualcomm", "mediatek": "MediaTek", "amlogic": "Amlogic"}


class SocGpu:
    """Reads one."""

    def __init__(self, number: int, gpu: DevfreqGpu, root: Path, clock: Callable[[], float]) -> None:
        self._gpu = gpu
        self._memory = MainMemory(root)
        self._zones = gpu_temperature(root)
        nodes = tuple(f"/dev/dri/{path.name}" for path in entries(gpu.device / "drm", "*"))
        self._users = SocProcesses((*_DEVICES, *nodes), root, clock=clock)
        kgsl = root / "sys/class/kgsl/kgsl-3d0"
        self._loads = (gpu.folder / "load", kgsl / "gpu_busy_percentage")
        self._facts = Device(
            id=f"soc{number}",
            name=_name(gpu, kgsl),
            vendor=_vendor(gpu),
            kind="gpu",
            unified_memory=True,
            driver=_driver(gpu),
        )

    def known(self) -> tuple[Device, ...]:
        """What the device tree tells."""
        return (self._facts,)

    def read(self) -> tuple[Device, ...]:
        """One reading. Its memory is the host's; how much of it it has nobody tells."""
        load = next((load for file in self._loads if (load := _load(file)) is not None), None)
        device = replace(
            self._facts,
            memory_total_bytes=self._memory.read().total_bytes,
            utilization=load,
            temperature_c=hottest(self._zones),
            sm_clock_mhz=self._gpu.clock_mhz(),
            processes=self._users.read(load),
        )
        return (device,)


class SocProbe:
    """Reads all that are not NVIDIA's."""

    name = "soc"

    def __init__(self, *, period: float = 1.0, root: Path = ROOT, clock: Callable[[], float] = monotonic) -> None:
        self.period = period
        self._cards = Cards([SocGpu(number, gpu, root, clock) for number, gpu in enumerate(_others(root))])

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[SocProbe]":
        """Empty where devfreq knows no GPU: PCs and servers, Raspberry Pis."""
        return [cls(root=root)] if _others(root) else []

    def read(self) -> Devices:
        """One reading of each GPU."""
        return Devices(devices=self._cards.read())


def _others(root: Path) -> list[DevfreqGpu]:
    return [gpu for gpu in devfreq_gpus(root) if gpu.maker not in {"nvidia", ""}]


def _name(gpu: DevfreqGpu, kgsl: Path) -> str:
    """As the driver calls it, else what the device tree says: "Mali (rk3588)", "Adreno 43050c01"."""
    info = _INFO.match(read_text(gpu.device / "gpuinfo") or "")
    if info:
        return f"{info[1]} MP{info[2]}" if info[2] else info[1]
    model = read_text(kgsl / "gpu_model") if gpu.maker == "qcom" else None
    if model:
        return model
    product = gpu.compatible[0].partition(",")[2]
    if product.startswith("adreno-"):
        return f"Adreno {product.removeprefix('adreno-')}"
    chip = product.removesuffix("-mali")
    return f"Mali ({chip})" if any("mali" in word for word in gpu.compatible) else product


def _vendor(gpu: DevfreqGpu) -> str:
    """Mali is Arm's, whoever made the chip around it."""
    maker = "arm" if any("mali" in word for word in gpu.compatible) else gpu.maker
    return _VENDORS.get(maker, maker)


def _driver(gpu: DevfreqGpu) -> str | None:
    link = gpu.device / "driver"
    return link.resolve().name if there(link) else None


def _load(file: Path) -> float | None:
    percent = _PERCENT.match(read_text(file) or "")
    return int(percent[1]) / 100 if percent and int(percent[1]) <= 100 else None
