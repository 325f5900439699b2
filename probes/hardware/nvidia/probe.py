"""All NVIDIA GPUs of the machine."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...sample import Device, Devices
from ..cards import PATIENCE_S, Cards
from ..files import ROOT
from ..jetson.probe import serves
from ..measured.device_measurement import DeviceMeasurements, with_measured

if TYPE_CHECKING:
    from .gpu import NvidiaGpu

_RETRY_S = 60.0
"""Seconds until a driver that would not start is asked again."""
_WAKE_S = 1.5
"""Seconds that the first reading waits for GPUs that sleep: without persistence mode the driver initializes each when
it is first asked for."""


class NvidiaProbe:
    """Reads them through NVML, the library that the driver brings, each in a thread of its own."""

    name = "nvidia"

    def __init__(
        self,
        *,
        period: float = 1.0,
        root: Path = ROOT,
        clock: Callable[[], float] = monotonic,
        patience_s: float = PATIENCE_S,
        wake_s: float = _WAKE_S,
        cache: Path | None = None,
    ) -> None:
        """`cache` is the folder with the measured bandwidths; None means the user's own."""
        self.period = period
        self._root = root
        self._clock = clock
        self._patience_s = patience_s
        self._wake_s = wake_s
        self._measured = DeviceMeasurements(cache)
        self._gpus: list[NvidiaGpu] = []
        self._cards = Cards([])
        self._problem: str | None = None
        self._start_due = 0.0

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[NvidiaProbe]":
        """Empty where the driver's library is not installed; a driver in trouble is for the reading to tell.

        Empty on a Jetson as well whose GPU the library knows by name only.
        """
        if serves(root):
            return []
        try:
            ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return []
        return [cls(root=root)]

    def read(self) -> Devices:
        """One reading of each GPU and its instances; trouble of one is told with that one and leaves the others alone.

        A driver that hangs while it starts keeps the thread waiting that called this.
        """
        if not self._gpus and self._clock() >= self._start_due:
            self._start()
            devices = self._first()
        else:
            devices = self._cards.read()
        return Devices(devices=tuple(map(self._with_measured, devices)), problem=self._problem)

    def _with_measured(self, device: Device) -> Device:
        measured = self._measured.read(device.uuid)
        if measured is None:
            return device
        return replace(device, bandwidth_gbs=with_measured(device.bandwidth_gbs, measured))

    def _start(self) -> None:
        from .gpu import NvidiaGpu  # noqa: PLC0415 - only a machine with one pays for it
        from .nvml import Nvml  # noqa: PLC0415

        self._start_due = self._clock() + _RETRY_S
        nvml = Nvml()
        count, self._problem = nvml.start()
        driver = nvml.driver() if count else None
        self._gpus = [NvidiaGpu(nvml, index, self._clock, driver=driver, root=self._root) for index in range(count)]
        self._cards = Cards(self._gpus, patience_s=self._patience_s)

    def _first(self) -> tuple[Device, ...]:
        """A reading that waits for GPUs which the driver has to initialize first."""
        devices = self._cards.read()
        asleep = [gpu for gpu in self._gpus if not gpu.found]
        until = monotonic() + self._wake_s
        for gpu in asleep:
            gpu.answered.wait(max(until - monotonic(), 0.0))
        return self._cards.read() if asleep else devices
