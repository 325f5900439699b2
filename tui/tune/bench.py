"""What is measured: samples of the machine, counts of llmtop's own load, and the points that they make."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Literal

from ...estimator.tuning.meter import Meter
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import Measured
from ...probes.limits.contract import LimitError
from ...probes.sample import Sample
from .sight import is_worth
from .target import Target
from .wish import Wish

if TYPE_CHECKING:
    from .load import Load

MOST_POINTS = 500
BLOCK_S, BLOCKS = 2.0, 6.0
"""Seconds of a stretch that the error is told from; less, but at least 1, where a stay has no room for so many."""


class Bench:
    """Samples and counts come in on any thread; everything else is done by the one that calls `listen`."""

    def __init__(self, target: Target, wish: Wish, generate: "Callable[[Bench, Measured], Load] | None" = None) -> None:
        """`generate` makes the load of a phase, where llmtop makes it; its counts go to `count` and `prompt`."""
        self.points: list[Point] = []
        """Of the stays that are over."""
        self.remarks: dict[str, None] = {}
        self.generates = generate is not None
        self._target = target
        self.wish = wish
        self._generate = generate
        self._load: Load | None = None
        self._events: SimpleQueue[Callable[[Meter], None]] = SimpleQueue()
        self._last: tuple[int, Point | None] = (0, None)
        self.meter = self._new_meter("both")

    # On any thread.

    def take(self, sample: Sample) -> None:
        """A sample of the feed."""
        self._events.put(lambda meter: meter.feed(sample))

    def count(self, at: float, tokens: float) -> None:
        """All tokens that the clients of llmtop's own load have received."""
        self._events.put(lambda meter: meter.count(at, tokens) if self._load else None)

    def prompt(self, at: float, tokens: float, seconds: float) -> None:
        """A prompt of llmtop's own load was read in."""
        self._events.put(lambda meter: meter.prompt(at, tokens, seconds) if self._load else None)

    # On its own thread.

    def listen(self, *, awaited: bool) -> None:
        """Hands what came in to the meter. A stay that is over leaves its point, unless somebody waits for it."""
        self._drain(awaited=awaited)
        self.remarks |= dict.fromkeys(self.meter.remarks)

    def _drain(self, *, awaited: bool) -> None:
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                return
            event(self.meter)
            self._turn(awaited=awaited)
            now = self.meter.point if self.meter.settled else None
            if now is not None:
                self._last = (self.meter.stay.number, now)

    def _turn(self, *, awaited: bool) -> None:
        number, point = self._last
        if self.meter.stay.number == number:
            return
        self._last = (self.meter.stay.number, None)
        if point is not None and not awaited and is_worth(point, self.wish.phases):
            self.add(point)

    def add(self, point: Point) -> None:
        """Keeps the point of a stay, which counts once."""
        self._last = (self._last[0], None)
        self.points.append(point)
        del self.points[:-MOST_POINTS]

    def finish(self) -> None:
        """The stay of now ends: it leaves its point where that tells enough."""
        _, point = self._last
        if point is not None and is_worth(point, self.wish.phases):
            self.add(point)

    def drop(self) -> None:
        """The stay of now was cut short: it leaves no point."""
        self._last = (self._last[0], None)

    def load(self, phase: Measured) -> None:
        """Begins a phase, with its load where llmtop makes it."""
        self.unload()
        if self._generate is not None:
            try:
                load = self._generate(self, phase)
            except ValueError as error:
                raise LimitError(str(error)) from None
            self.meter, self._last = self._new_meter(phase), (0, None)
            self._load = load.__enter__()

    def unload(self) -> None:
        """Ends llmtop's own load."""
        load = self._load
        if load is not None:
            load.__exit__(None, None, None)
            self._drain(awaited=True)
            self._load = None
            self.meter, self._last = self._new_meter("both"), (0, None)

    @property
    def trouble(self) -> str | None:
        """What keeps llmtop's own load from running."""
        return self._load.problem if self._load else None

    @property
    def counted(self) -> tuple[Point, ...]:
        """All points, with that of now where it tells enough."""
        now = self.meter.point
        worth = now is not None and self.meter.settled and is_worth(now, self.wish.phases)
        return (*self.points, now) if now and worth else tuple(self.points)

    def _new_meter(self, phase: Literal["decode", "prefill", "both"]) -> Meter:
        engine = self._target.engine.id if self._target.engine else ""
        devices = [device.id for device in self._target.devices]
        block_s = min(BLOCK_S, max(self.wish.measure_s / BLOCKS, 1.0))
        return Meter(engine, devices, settle_s=self.wish.settle_s, block_s=block_s, phase=phase)
