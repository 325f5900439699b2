"""The processes on one NVIDIA GPU, or on an instance of one: what each holds, and how much of the time it is served."""

from collections.abc import Callable
from typing import cast

from ...sample import DeviceProcess
from .nvml import NvmlDevice, member

_LISTED_S = 2.0
"""Seconds between two looks at the lists: the dearest question, and the answer changes slowly."""
_RECENT_US = 10_000_000
"""Microseconds that a sample of work may be old: the driver keeps those of processes that rest, too."""


class NvidiaProcesses:
    """Reads them, at most every `_LISTED_S` seconds."""

    def __init__(self, device: NvmlDevice, clock: Callable[[], float]) -> None:
        self._device = device
        self._clock = clock
        self._found: tuple[DeviceProcess, ...] | None = None
        self._due = 0.0
        self._newest = 0

    def read(self) -> tuple[DeviceProcess, ...] | None:
        """Who computes and who draws on it; a process that does both is one. None where the driver does not say.

        In WSL it lists processes of the host without their ids.
        """
        now = self._clock()
        if now < self._due:
            return self._found
        self._due = now + _LISTED_S
        held = self._held()
        if held is None:
            self._found = None
            return None
        worked = self._worked() if len(held) > 1 else None
        self._found = tuple(
            DeviceProcess(pid, memory, None if worked is None else worked.get(pid, 0.0))
            for pid, memory in sorted(held.items())
        )
        return self._found

    def _held(self) -> dict[int, int | None] | None:
        """By pid, the bytes that it holds, None where those are not told."""
        computing = self._device.ask("nvmlDeviceGetComputeRunningProcesses_v3")
        if computing is None:
            return None
        drawing = self._device.ask("nvmlDeviceGetGraphicsRunningProcesses_v3")
        held: dict[int, int | None] = {}
        for process in (*_listed(computing), *_listed(drawing)):
            pid = member(process, "pid")
            if not pid:
                return None
            memory = member(process, "usedGpuMemory")
            before = held.get(pid)
            held[pid] = memory if before is None else max(before, memory or 0)
        return held

    def _worked(self) -> dict[int, float] | None:
        """By pid, the share of time that the multiprocessors worked for it; None where the driver does not say.

        The driver answers with samples of its own, each with the moment when it was taken, and without those of
        processes that did nothing.
        """
        since = max(self._newest - _RECENT_US, 0)
        samples = self._device.listed("nvmlDeviceGetProcessUtilization", since)
        if samples is None:
            return None
        newest: dict[int, tuple[int, float]] = {}
        for sample in samples:
            pid, when, busy = member(sample, "pid"), member(sample, "timeStamp") or 0, member(sample, "smUtil")
            self._newest = max(self._newest, when)
            if pid is not None and busy is not None and when >= newest.get(pid, (0, 0.0))[0]:
                newest[pid] = (when, min(busy, 100) / 100)
        return {pid: busy for pid, (when, busy) in newest.items() if when >= self._newest - _RECENT_US}


def _listed(answer: object) -> list[object]:
    return cast("list[object]", answer) if isinstance(answer, list) else []
