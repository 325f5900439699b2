"""The share of its bandwidth that the memory of an NVIDIA GPU moves: GPU performance monitoring, Hopper and later.

NVML counts into samples; two of them tell what went on between them, in percent of what the memory can do on paper
(NVML_GPM_METRIC_DRAM_BW_UTIL). They must lie more than 100 ms apart (nvml.h of CUDA 13.4).
"""

from collections.abc import Callable
from typing import Any, cast

from .nvml import NvmlDevice, member

_DRAM_BW_UTIL = 10
_VERSION = 1
"""NVML_GPM_METRICS_GET_VERSION."""
_SHORTEST_S = 0.15
_AGAIN_S = 60.0
"""Seconds until a GPU is asked again that does not count."""


class NvidiaBandwidthUse:
    """Reads it. Holds two samples for as long as it lives, and fills them in turn."""

    def __init__(self, device: NvmlDevice, clock: Callable[[], float]) -> None:
        self._device = device
        self._clock = clock
        self._samples: tuple[object, object] | None = None
        self._question: object = None
        self._filled_at: float | None = None
        self._use: float | None = None
        self._due = 0.0

    def read(self) -> float | None:
        """0-1 since the previous reading; None at the first one and where the GPU does not count."""
        device = self._device
        now = self._clock()
        if self._filled_at is not None and now - self._filled_at < _SHORTEST_S:
            return self._use
        if self._samples is None and not self._prepare(now):
            return None
        before, after = cast("tuple[object, object]", self._samples)
        if device.ask("nvmlGpmSampleGet", after) is None:
            self._filled_at = self._use = None
            return None
        self._use = None if self._filled_at is None else self._between(before, after)
        self._samples = after, before
        self._filled_at = now
        return self._use

    def close(self) -> None:
        """Gives the samples back to the library."""
        for sample in self._samples or ():
            self._device.nvml.call("nvmlGpmSampleFree", sample)
        self._samples = self._filled_at = self._use = None

    def _prepare(self, now: float) -> bool:
        """Whether there are samples to fill."""
        if now < self._due:
            return False
        self._due = now + _AGAIN_S
        if not member(self._device.ask("nvmlGpmQueryDeviceSupport"), "isSupportedDevice"):
            return False
        one, _ = self._device.nvml.call("nvmlGpmSampleAlloc")
        other, _ = self._device.nvml.call("nvmlGpmSampleAlloc")
        if one is None or other is None:
            return False
        self._samples = one, other
        self._question = self._device.nvml.structure("c_nvmlGpmMetricsGet_t")
        return True

    def _between(self, before: object, after: object) -> float | None:
        question = cast("Any", self._question)
        question.version = _VERSION
        question.numMetrics = 1
        question.sample1 = before
        question.sample2 = after
        question.metrics[0].metricId = _DRAM_BW_UTIL
        answer, _ = self._device.nvml.call("nvmlGpmMetricsGet", question)
        if answer is None or question.metrics[0].nvmlReturn:
            return None
        percent = float(question.metrics[0].value)
        return min(percent / 100, 1.0) if percent >= 0 else None
