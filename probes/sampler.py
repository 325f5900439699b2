"""Runs the probes: one daemon thread each, so that a slow source delays no other."""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread

from .probe import Probe
from .sample import Gone, Sample

MIN_PAUSE = 0.02
"""Seconds of rest after a reading that took longer than its period."""


class Sampler:
    """Reads each probe over and over and hands what it says to `sink`, from the probe's own thread.

    The next reading starts one period after the last one started, or right after it ended when it took longer: readings
    of one source never overlap and never pile up. A source that has said `Gone` is not read again.
    """

    def __init__(self, sink: Callable[[Sample], None]) -> None:
        self._sink = sink
        self._stopped = Event()
        self._lock = Lock()
        self._wakers: dict[str, Event] = {}

    def add(self, probe: Probe) -> Event:
        """Begins to read a probe, unless one of that name is read; what it returns is set after a first reading."""
        first = Event()
        with self._lock:
            if self._stopped.is_set() or probe.name in self._wakers:
                first.set()
                return first
            waker = self._wakers[probe.name] = Event()
        Thread(target=self._run, args=(probe, waker, first), name=f"probe {probe.name}", daemon=True).start()
        return first

    def wake(self) -> None:
        """Reads every source now."""
        with self._lock:
            wakers = list(self._wakers.values())
        for waker in wakers:
            waker.set()

    def stop(self) -> None:
        """Ends the threads, without waiting for those that hang: they are daemons and say nothing more."""
        self._stopped.set()
        self.wake()

    def _run(self, probe: Probe, waker: Event, first: Event) -> None:
        while not self._stopped.is_set():
            started = time.monotonic()
            reading = probe.read()
            ended = time.monotonic()
            period = probe.period
            if self._stopped.is_set():
                return
            if reading is not None:
                self._sink(Sample(source=probe.name, time=ended, wall=time.time(), period=period, reading=reading))
            first.set()
            if isinstance(reading, Gone):
                break
            waker.wait(max(started + period - time.monotonic(), MIN_PAUSE))
            waker.clear()
        with self._lock:
            self._wakers.pop(probe.name, None)
