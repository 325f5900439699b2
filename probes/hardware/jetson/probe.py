"""The GPU of an NVIDIA Jetson whose kernel driver is nvgpu: Nano, TX2, Xavier, Orin.

NVML names that GPU at most, since JetPack 6, and answers nothing else ("Orin (nvgpu)", not supported), whereas the
files of nvgpu tell its load. So the probe of NVML leaves it out where `serves` is true. Thor has NVIDIA's own driver:
NVML tells its load and its processes, and `JetsonBoard.complete` adds what NVML does not know.
Layout: `devices/platform/gpu.0/load` is the load in thousandths (NVIDIA Jetson Linux Developer Guide). A program that
computes has `/dev/nvgpu/igpu0/…` open, `/dev/nvhost-*gpu` before JetPack 5. How much of the memory is the GPU's nobody
tells but root.
"""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from ...sample import Device, Devices
from ..cards import Cards
from ..entries import there
from ..files import ROOT, read_number
from ..soc.devfreq import DevfreqGpu, devfreq_gpus
from ..soc.processes import SocProcesses
from .board import JetsonBoard, is_jetson

_DEVICES = ("/dev/nvgpu/", "/dev/nvhost-gpu", "/dev/nvhost-as-gpu", "/dev/nvhost-ctrl-gpu")


class JetsonGpu:
    """Reads it, with what the board adds."""

    def __init__(self, gpu: DevfreqGpu, board: JetsonBoard, root: Path, clock: Callable[[], float]) -> None:
        self._users = SocProcesses(_DEVICES, root, clock=clock)
        self._gpu = gpu
        self._board = board
        loads = (gpu.device / "load", root / "sys/devices/platform/gpu.0/load")
        self._load = next((file for file in loads if there(file)), loads[0])
        self._facts = Device(
            id="jetson0",
            name=board.name,
            vendor="NVIDIA",
            kind="gpu",
            unified_memory=True,
            memory_type="LPDDR",
            architecture=board.architecture,
            driver=f"nvgpu, {board.software}" if board.software else "nvgpu",
        )

    def known(self) -> tuple[Device, ...]:
        """What the device tree tells."""
        return (self._facts,)

    def read(self) -> tuple[Device, ...]:
        """One reading."""
        load = read_number(self._load)
        busy = load / 1000 if load is not None and 0 <= load <= 1000 else None
        device = replace(
            self._facts, utilization=busy, sm_clock_mhz=self._gpu.clock_mhz(), processes=self._users.read(busy)
        )
        return (self._board.complete(device),)


class JetsonProbe:
    """Reads the one GPU of the module."""

    name = "jetson"

    def __init__(self, *, period: float = 1.0, root: Path = ROOT, clock: Callable[[], float] = monotonic) -> None:
        self.period = period
        board, gpu = JetsonBoard.find(root), _nvgpu(root)
        self._cards = Cards([JetsonGpu(gpu, board, root, clock)] if board and gpu else [])

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[JetsonProbe]":
        """Empty on other machines, and on those whose GPU NVML reads."""
        return [cls(root=root)] if serves(root) else []

    def read(self) -> Devices:
        """One reading."""
        return Devices(devices=self._cards.read())


def serves(root: Path = ROOT) -> bool:
    """Whether nvgpu serves a GPU here, of which NVML then tells nothing but a name."""
    return is_jetson(root) and _nvgpu(root) is not None


def _nvgpu(root: Path) -> DevfreqGpu | None:
    return next((gpu for gpu in devfreq_gpus(root) if gpu.maker in {"nvidia", ""}), None)
