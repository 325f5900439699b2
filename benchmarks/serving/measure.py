"""llmtop's live monitor beside clients that count: both rates over the same seconds."""

import statistics
import time
from collections.abc import Sequence

import psutil
from llmtop.estimator.snapshot import EngineView
from llmtop.probes.sample import Engine, Sample
from llmtop.tui.live import Live
from msgspec import Struct

from .clients import Counted, rate

INTERVAL_S = 1.0
LATE_S = 12.0
"""Seconds that are waited in addition where the engine publishes every 10 s."""


class Pair(Struct, frozen=True):
    """One window."""

    seen_tps: float
    """What llmtop shows."""
    counted_tps: float
    """What the clients counted in those seconds."""
    window_s: float

    @property
    def difference(self) -> float:
        """Of llmtop from the clients, as a share of theirs."""
        return self.seen_tps / self.counted_tps - 1


class Found(Struct, frozen=True):
    """What llmtop said of one engine."""

    view: EngineView | None
    pairs: tuple[Pair, ...]

    @property
    def middle(self) -> Pair | None:
        """The window of the median difference: the machine may stand still for a moment, and then a client is late."""
        if not self.pairs:
            return None
        middle = statistics.median_low(pair.difference for pair in self.pairs)
        return next(pair for pair in self.pairs if pair.difference == middle)


class Watch:
    """Finds the row of one engine among all that llmtop shows."""

    def __init__(self, urls: Sequence[str], pid: int) -> None:
        """`urls` are those that llmtop is told: of the engine, and of its exporter. `pid` is that of its process."""
        self._urls = frozenset(urls)
        self._pid = pid
        self._samples: list[Sample] = []

    def compare(self, counted: Counted, *, window_s: float, windows: int = 3, discover: bool = False) -> Found:
        """Watches it for so many windows, one after another.

        Args:
            counted: the clients, at work already.
            window_s: seconds of one window.
            windows: how many.
            discover: whether llmtop has to find it, or who watches it, by itself.
        """
        named = sorted(self._urls)
        live = Live(named, interval=INTERVAL_S, window=window_s, discover=discover, record=self._samples.append)
        pairs: list[Pair] = []
        view = None
        live.start()
        try:
            live.settle()
            time.sleep(LATE_S if window_s > LATE_S else 2 * INTERVAL_S)
            for _ in range(windows):
                time.sleep(window_s)
                view = self._row(live)
                pair = view and self._pair(view, counted)
                pairs += [pair] if pair else []
        finally:
            live.stop()
        return Found(view, tuple(pairs))

    def _row(self, live: Live) -> EngineView | None:
        pids = self._family()
        rows = [view for view in live.snapshot().engines if {view.url, view.id} & self._urls or view.pid in pids]
        return max(rows, key=lambda view: view.decode_tps is not None, default=None)

    def _pair(self, view: EngineView, counted: Counted) -> Pair | None:
        if not view.decode_tps or not view.window_s:
            return None
        end = self._end(view)
        counted_tps = rate(counted, end - view.window_s, end)
        return Pair(view.decode_tps, counted_tps, view.window_s) if counted_tps else None

    def _end(self, view: EngineView) -> float:
        """When the window of this view ended: at the last reading, or at the last that brought something new."""
        moments = [
            (sample.time, reading.decode_tokens)
            for sample in list(self._samples)
            if isinstance(reading := sample.reading, Engine)
            and reading.decode_tokens is not None
            and (sample.source == view.id or reading.upstream in self._urls or reading.pid == view.pid)
        ]
        if view.liveness != "interval":
            return moments[-1][0]
        last = moments[-1][1]
        return next(time for time, tokens in moments if tokens == last)

    def _family(self) -> set[int]:
        try:
            children = psutil.Process(self._pid).children(recursive=True)
        except psutil.Error:
            return set()
        return {self._pid, *(child.pid for child in children)}
