"""Energy counters of an Apple chip (IOReport, "Energy Model") through zeus-apple-silicon, which needs no root.

Its figures are millijoules since the start, each None where the chip has no such counter. Summed up are the CPU, the
GPU, the Neural Engine and the memory; the SRAM of the GPU is not, as neither powermetrics nor macmon adds it.
Seen by others on an M1 Ultra (pull request 424 of lablup/all-smi, 2026-09): the GPU's counter moves all the time, those
of the CPU, the Neural Engine and the memory twice in about 2.1 s. So the GPU's watts are those since the previous
reading, those of the rest the mean over some seconds.

On a chip of two dies the counters of the CPU are "DIE_0_CPU Energy" and "DIE_1_CPU Energy", of which the library (1.1)
keeps the last. In a virtual machine there are no such counters, and the library would take the process down with it:
it must not be loaded there.
"""

from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from .draw import AppleDraw

REST_WINDOW_S = 8.0
"""Several rounds of the slower counters."""
_SHORTEST_S = 0.02
_STILL_S = 12.0
"""A CPU counter that has not moved for so long will not: some system does not fill it."""


class Energies(Protocol):
    """`AppleEnergyMetrics` of the library: those of its fields that are used."""

    cpu_total_mj: int | None
    gpu_mj: int | None
    ane_mj: int | None
    dram_mj: int | None


class Monitor(Protocol):
    """`AppleEnergyMonitor` of the library."""

    def get_cumulative_energy(self) -> Energies:
        """All counters; costs a few milliseconds."""
        ...


LoadMonitor = Callable[[], Monitor]

_TROUBLE = (AttributeError, ImportError, OSError, RuntimeError, TypeError, ValueError)
"""What the library raises, and what comes of one that is not as it was."""


def load_monitor() -> Monitor:
    """Loads the library. Raises ImportError where it is not installed."""
    return cast("Monitor", import_module("zeus_apple_silicon").AppleEnergyMonitor())


class AppleEnergy:
    """Turns the counters into watts, from one reading to the next."""

    def __init__(self, load: LoadMonitor, clock: Callable[[], float], *, dies: int = 1) -> None:
        self.problem: str | None = None
        self._clock = clock
        self._one_die = dies > 1
        self._monitor: Monitor | None = None
        self._gpu = _Rail(0.0)
        self._rest = _Rail(REST_WINDOW_S)
        self._cpu_mj: int | None = None
        self._moved = clock()
        try:
            self._monitor = load()
        except ImportError:
            self.problem = ""
        except _TROUBLE as trouble:
            self.problem = f"zeus-apple-silicon does not start ({_line(trouble)})"

    def read(self) -> AppleDraw:
        """One reading: no power before the slower counters have moved."""
        if self._monitor is None:
            return AppleDraw()
        try:
            told = self._monitor.get_cumulative_energy()
            cpu, gpu, ane, dram = told.cpu_total_mj, told.gpu_mj, told.ane_mj, told.dram_mj
        except _TROUBLE as trouble:
            return self._end(f"zeus-apple-silicon fails ({_line(trouble)})")
        if cpu is None or gpu is None:
            return self._end("zeus-apple-silicon finds no counters for the CPU and the GPU")
        now = self._clock()
        if cpu != self._cpu_mj:
            self._cpu_mj, self._moved = cpu, now
        elif now - self._moved > _STILL_S:
            return self._end("macOS does not fill the energy counter of the CPU")
        rest = cpu + (ane or 0) + (dram or 0)
        gpu_w, rest_w = self._gpu.watts(now, gpu), self._rest.watts(now, rest)
        return AppleDraw(
            power_w=None if gpu_w is None or not rest_w else gpu_w + rest_w,
            energy_j=(gpu + rest) / 1000,
            memory=dram is not None,
            one_die=self._one_die,
        )

    def close(self) -> None:
        """The library frees what it holds."""
        self._monitor = None

    def _end(self, problem: str) -> AppleDraw:
        self.problem = problem
        self._monitor = None
        return AppleDraw()


class _Rail:
    """A counter, and the mean of what it counted over the last `window_s`."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._seen: deque[tuple[float, int]] = deque()
        self._last: float | None = None

    def watts(self, now: float, energy_mj: int) -> float | None:
        """None in the first reading, and after the count began anew."""
        seen = self._seen
        if seen and energy_mj < seen[-1][1]:
            seen.clear()
            self._last = None
        if seen and now - seen[-1][0] < _SHORTEST_S:
            return self._last
        seen.append((now, energy_mj))
        while len(seen) > 2 and now - seen[1][0] >= self._window_s:
            seen.popleft()
        since, before = seen[0]
        self._last = (energy_mj - before) / 1000 / (now - since) if len(seen) > 1 else None
        return self._last


def _line(trouble: Exception) -> str:
    """Its first line, at most a few words long."""
    return (str(trouble).strip().splitlines() or [type(trouble).__name__])[0][:80]
