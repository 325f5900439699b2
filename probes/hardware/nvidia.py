"""All NVIDIA GPUs of the machine."""

import ctypes
from collections.abc import Callable
from time import monotonic

from ..sample import Devices
from .nvidia_gpu import NvidiaGpu
from .nvml import Nvml

_RETRY_S = 60.0
"""Seconds until a driver that would not start is asked again."""


class NvidiaProbe:
    """Reads them through NVML, the library that the driver brings."""

    name = "nvidia"

    def __init__(self, *, period: float = 1.0, clock: Callable[[], float] = monotonic) -> None:
        self.period = period
        self._clock = clock
        self._gpus: list[NvidiaGpu] = []
        self._problem: str | None = None
        self._start_due = 0.0

    @classmethod
    def detect(cls) -> "list[NvidiaProbe]":
        """Empty where the driver's library is not installed; a driver in trouble is for the reading to tell."""
        try:
            ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return []
        return [cls()]

    def read(self) -> Devices:
        """One reading of each GPU; trouble of one is told with that one and leaves the others alone."""
        if not self._gpus and self._clock() >= self._start_due:
            self._start()
        return Devices(devices=tuple(gpu.read() for gpu in self._gpus), problem=self._problem)

    def _start(self) -> None:
        self._start_due = self._clock() + _RETRY_S
        nvml = Nvml()
        count, self._problem = nvml.start()
        self._gpus = [NvidiaGpu(nvml, index, self._clock) for index in range(count)]
