"""Threads that work on one clock: what they finish together inside common windows of time."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from time import perf_counter

from ..dimms.nodes import Seat, sit
from .memory_kernels import Step

WARM_UP_S = 0.1
WINDOW_S = 0.1


class _Clock:
    """The one moment from which all threads count."""

    def __init__(self, seconds: float) -> None:
        self.start = 0.0
        self.stop = 0.0
        self._seconds = seconds

    def begin(self) -> None:
        """Called once, when the last thread is at the line."""
        self.start = perf_counter()
        self.stop = self.start + self._seconds


def race(teams: Sequence[Sequence[Step]], windows: int, places: Sequence[Seat] = ()) -> list[float]:
    """Steps a second of all teams together, in each window. One thread a team goes round its steps until the end.

    `places` says where each thread sits; without it, they sit where the system puts them.

    A step that spans the edge of a window counts for both by its share of time, so that no thread's work is lost or
    counted on a clock of its own.
    """
    import numpy as np  # noqa: PLC0415

    clock = _Clock(WARM_UP_S + windows * WINDOW_S)
    finished: list[list[float]] = [[] for _ in teams]
    runners = [_runner(steps, ends, clock) for steps, ends in zip(teams, finished, strict=True)]
    _together(runners, clock.begin, places or [None] * len(teams))
    edges = clock.start + WARM_UP_S + WINDOW_S * np.arange(windows + 1)
    done = sum(np.interp(edges, [clock.start, *ends], np.arange(len(ends) + 1.0)) for ends in finished)
    return [float(rate) for rate in np.diff(done) / WINDOW_S]


def _together(jobs: Sequence[Callable[[], None]], begin: Callable[[], None], places: Sequence[Seat]) -> None:
    """Runs each job in a thread of its own, on its seat; `begin` is called when all threads stand ready.

    Raises:
        RuntimeError: The system gives no more threads; none has run then.
    """
    gate = threading.Barrier(len(jobs), action=begin)

    def run(job: Callable[[], None], seat: Seat) -> None:
        sit(seat)
        with suppress(threading.BrokenBarrierError):
            gate.wait()
            job()

    threads = [threading.Thread(target=run, args=each, name="bandwidth") for each in zip(jobs, places, strict=True)]
    try:
        for thread in threads:
            thread.start()
    except BaseException:
        gate.abort()  # those that stand ready would wait for ever
        raise
    for thread in threads:
        thread.join()


def _runner(steps: Sequence[Step], ends: list[float], clock: _Clock) -> Callable[[], None]:
    """Goes round the steps until the clock stops, and notes when each ended."""

    def run() -> None:
        for step in cycle(steps):
            step()
            now = perf_counter()
            ends.append(now)
            if now > clock.stop:
                return

    return run
