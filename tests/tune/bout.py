"""A sweep in made-up time: the simulated box, the meter, the plan, and what carries it out."""

from collections.abc import Callable, Mapping

from llmtop.estimator.tuning.choice import Choice
from llmtop.estimator.tuning.meter import Meter
from llmtop.estimator.tuning.point import Point
from llmtop.probes.limits.contract import LimitError
from llmtop.tui.tune.drive import Drive, planned
from llmtop.tui.tune.ladder import Ladder
from llmtop.tui.tune.wish import Wish

from .box import ENGINE, Box
from .curve import Curve, Noise

BEAT_S = 0.5
HOURS_S = 3 * 3600.0
"""No sweep takes longer."""
Event = Callable[[Box], object]


class Bout:
    """What `Tuning` does, without a thread and a driver."""

    def __init__(
        self,
        curve: Curve,
        *,
        noise: float = 0.01,
        seed: int = 1,
        drift_per_hour: float = 0.0,
        rounds_w: float = 0.0,
        refuses: tuple[float, ...] = (),
        **wish: object,
    ) -> None:
        """`noise` lasts for two seconds; the driver rounds down to multiples of `rounds_w` and refuses some limits."""
        self.box = Box(
            curve,
            noise=Noise(seed, sigma=noise, memory_s=2.0, drift_per_hour=drift_per_hour),
            power_noise=Noise(seed + 1000, sigma=0.003),
            period_s=BEAT_S,
        )
        self.wish = Wish(**wish)  # type: ignore[arg-type]
        self.highest_w = curve.steps[-1].limit_w
        lowest_w = curve.steps[0].limit_w
        ladder = Ladder(lowest_w=lowest_w, highest_w=self.highest_w, top_w=self.highest_w, rungs=())
        self.plan = planned(self.wish, ladder, self.wish.phases)
        self.meter = Meter(ENGINE, self.box.names, settle_s=self.wish.settle_s)
        self.drive = Drive(self.plan, self.set, lambda: self.box.limit_w, self.wish)
        self.points: list[Point] = []
        self.waited_s = 0.0
        self._due: list[tuple[float, Event]] = []
        self._rounds_w, self._refuses = rounds_w, refuses

    def set(self, watts: float) -> float:
        if watts in self._refuses:
            raise LimitError(f"RTX: the driver does not take {watts:g} W")
        self.box.limit_w = watts // self._rounds_w * self._rounds_w if self._rounds_w else watts
        self.meter.begin(self.box.now)
        return self.box.limit_w

    def later(self, seconds: float, event: Event) -> None:
        """It happens so many seconds from now."""
        self._due.append((self.box.now + seconds, event))

    def run(
        self,
        happens: Mapping[int, Event] | None = None,
        then: Mapping[float, Event] | None = None,
        *,
        after_s: float = 12.0,
    ) -> "Bout":
        """To its end. What `happens`, does so some seconds after so many points; `then` is counted from that."""
        left, began = dict(happens or {}), self.box.now
        while not self.drive.done and not self.drive.problem:
            assert self.box.now - began < HOURS_S, "it never ends"
            if len(self.points) in left:
                self.later(after_s, left.pop(len(self.points)))
                for seconds, event in (then or {}).items():
                    self.later(after_s + seconds, event)
            for due in [each for each in self._due if each[0] <= self.box.now]:
                self._due.remove(due)
                due[1](self.box)
            for sample in self.box.run(BEAT_S):
                self.meter.feed(sample)
            point = self.drive.go_on(self.meter, self.box.now, None)
            if point is not None:
                self.points.append(point)
            self.waited_s += BEAT_S if self.drive.waiting else 0.0
        return self

    @property
    def choice(self) -> Choice:
        (found,) = self.plan.choices()
        return found
