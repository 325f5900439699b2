"""The live feed: probes of this machine and its engines, folded into snapshots."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..estimator.monitor import Monitor
from ..estimator.snapshot import Price, Snapshot
from ..probes.sample import Sample
from ..probes.sampler import Sampler

if TYPE_CHECKING:
    from ..estimator.own import Run
    from ..probes.discover import Discovery
    from ..probes.engines.contract import Endpoint
    from ..probes.engines.source import EngineSource
    from ..probes.hardware import HardwareProbe
    from ..probes.logs.source import LogSource

SETTLE_S = 2.5
"""The longest that `settle` waits for sources that hang; devices that say nothing for so long are missed."""


class Live:
    """Finds engines and devices by itself and keeps the newest snapshot.

    What reads the machine is imported by `start`, so that a screen can be drawn before.
    """

    @property
    def player(self) -> None:
        """There is none: this is no recording."""
        return

    def __init__(
        self,
        urls: list[str],
        *,
        interval: float = 1.0,
        window: float | None = None,
        api_key: str | None = None,
        discover: bool = True,
        logs: Sequence[str] = (),
        record: Callable[[Sample], None] | None = None,
        price: Price | None = None,
    ) -> None:
        self._urls = urls
        self._interval = interval
        self._api_key = api_key
        self._discover = discover
        self._log_names = logs
        self._listeners = [] if record is None else [record]
        self._lock = Lock()
        self._first_readings: list[Event] = []
        self._unheard: dict[str, Event] = {}
        """The sources of devices that have not spoken yet."""
        self._started = 0.0
        self._monitor = Monitor(interval, window, price=price)
        self._sampler = Sampler(self._take)
        self._engines: dict[str, EngineSource] = {}
        self._hardware: list[HardwareProbe] = []
        self._logs: list[LogSource] = []
        self._discovery: Discovery | None = None

    @property
    def interval(self) -> float:
        """Seconds between two readings of each source."""
        return self._interval

    @interval.setter
    def interval(self, interval: float) -> None:
        self._interval = interval
        for probe in self._hardware:
            probe.period = interval
        for source in list(self._engines.values()):
            source.interval = interval
        for log in self._logs:
            log.interval = interval
        self._sampler.wake()

    def start(self) -> None:
        """Begins to read: the devices, and each engine that is found. Returns when the first look is over."""
        from ..probes.discover import Discovery  # noqa: PLC0415
        from ..probes.hardware import detect  # noqa: PLC0415
        from .history import load  # noqa: PLC0415

        with self._lock:
            self._monitor.remember(load())
        self._hardware = detect(self._interval)
        self._started = time.monotonic()
        for probe in self._hardware:
            first = self._unheard[probe.name] = self._sampler.add(probe)
            self._first_readings.append(first)
        self._follow_logs()
        self._discovery = Discovery(self._found, self._urls, everything=self._discover)
        self._discovery.start()

    def stop(self) -> None:
        """Ends all threads."""
        if self._discovery is not None:
            self._discovery.stop()
        self._sampler.stop()
        for log in self._logs:
            log.stop()

    def rescan(self) -> None:
        """Looks for engines now, and reads every source."""
        if self._discovery is not None:
            self._discovery.rescan()
        self._sampler.wake()

    def settle(self) -> None:
        """Waits until every source found so far was read once, or for `SETTLE_S` seconds."""
        deadline = time.monotonic() + SETTLE_S
        for first in list(self._first_readings):
            first.wait(max(deadline - time.monotonic(), 0.0))

    def watches_engines(self) -> bool:
        """Whether any engine answers, so that waiting for a rate makes sense."""
        with self._lock:
            return any(view.status in {"ok", "idle"} for view in self._monitor.snapshot().engines)

    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        with self._lock:
            found, runs = self._monitor.snapshot(), self._monitor.finished_runs()
        if runs:
            self._keep(runs)
        missed = self._missed()
        return replace(found, notes=(*found.notes, *missed)) if missed else found

    def _missed(self) -> tuple[str, ...]:
        """A line for each source that has said nothing since the start: a driver that hangs while it is loaded."""
        for name in [name for name, first in self._unheard.items() if first.is_set()]:
            del self._unheard[name]
        silence = time.monotonic() - self._started
        if silence < SETTLE_S:
            return ()
        return tuple(f"{name}: no answer for {silence:.0f} s" for name in self._unheard)

    def measure(self) -> str:
        """Measures the memory bandwidth of the CPU, keeps it, and returns one line about it."""
        from ..probes.hardware.measured.bandwidth import measure  # noqa: PLC0415
        from ..probes.hardware.measured.measurement import load, save  # noqa: PLC0415

        try:
            known, measurement = load(), measure()
            if known and known.outlasts(measurement):
                kept = f"the {known.best_gbs:.1f} GB/s of {known.date[:10]} are kept"
                return f"{measurement.best_gbs:.1f} GB/s now; {kept}"
            save(measurement)
        except MemoryError as error:
            return str(error)
        except OSError as error:
            return f"cannot write {error.filename}: {error.strerror}"
        self._sampler.wake()
        words = measurement.remark or (measurement.differs(known) if known else None)
        remark = f"; {words}" if words else ""
        return f"memory bandwidth {measurement.best_gbs:.1f} GB/s, spread {measurement.spread:.0%}{remark}"

    def _keep(self, runs: "list[Run]") -> None:
        from .history import remember  # noqa: PLC0415

        for run in runs:
            with suppress(OSError):  # the run counts all the same until llmtop ends
                remember(run)

    def _follow_logs(self) -> None:
        if not self._log_names:
            return
        from ..probes.logs.source import LogSource  # noqa: PLC0415

        self._logs = [LogSource(log, interval=self._interval) for log in self._log_names]
        for log in self._logs:
            self._first_readings.append(self._sampler.add(log))

    def _found(self, endpoint: "Endpoint") -> None:
        from ..probes.engines.source import EngineSource  # noqa: PLC0415

        source = self._engines.get(endpoint.url)
        if source is not None:
            source.meet(endpoint)
        if source is None or source.gone:
            source = EngineSource(endpoint, interval=self._interval, api_key=self._api_key)
            self._engines[endpoint.url] = source
            self._first_readings.append(self._sampler.add(source))

    def listen(self, take: Callable[[Sample], None]) -> Callable[[], None]:
        """Hands each sample to `take` as it comes, on the thread that read it. Returns what ends that."""
        self._listeners = [*self._listeners, take]

        def leave() -> None:
            self._listeners = [each for each in self._listeners if each is not take]

        return leave

    def _take(self, sample: Sample) -> None:
        for take in self._listeners:
            take(sample)
        with self._lock:
            self._monitor.feed(sample)
