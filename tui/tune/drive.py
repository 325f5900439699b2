"""Carries a sweep out: sets each limit, waits until its speed is known well enough, and hands the point on."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ...estimator.snapshot import EngineView
from ...estimator.tuning.meter import Meter
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import Measured, rate_of
from ...estimator.tuning.sweep import Stay, Sweep
from ...probes.limits.contract import Forbidden, LimitError, Vanished
from .ladder import Ladder
from .state import Progress
from .wish import Wish

QUIET_S, QUIET_INTERVAL_S = 6.0, 35.0
"""Seconds without a token after which the load counts as stopped; engines that count at intervals take up to 10 s."""
PATIENCE_S = 60.0
"""Seconds that a load which has stopped is waited for."""
HASTE_S = 10.0
"""Seconds that llmtop's own load has to begin at all."""
GONE_S = 3.0
"""Seconds that a device must be missing: one reading may fail."""
UNTOLD_S = 30.0
"""Seconds in which a device has to tell its limit."""
LATE_S, LATE_PROMPT_S = 60.0, 180.0
"""Seconds beyond its time that a stay goes on while no speed is known: one prompt may take a minute."""
ROUNDED_W, OTHER_W = 1.0, 2.0
"""How far a limit may be from what was set: rounded by the driver, or set by somebody else."""
HEARD_S = 3.0
"""Seconds after which the devices tell the limit that was set."""
MOST_AGAIN = 2
"""Times that a stay is made again because somebody else has set the limit."""


def planned(wish: Wish, rungs: Ladder, phases: Sequence[Measured]) -> Sweep:
    """The sweep that is wished for."""
    return Sweep(
        rungs.lowest_w, rungs.highest_w, steps=wish.steps, keep=wish.keep, measure_s=wish.measure_s, phases=phases
    )


def quiet_s(engine: EngineView | None) -> float:
    """Seconds without a token after which its load counts as stopped."""
    return QUIET_INTERVAL_S if engine is not None and engine.liveness == "interval" else QUIET_S


class Drive:
    """One sweep. It has no thread: `go_on` is called a few times a second."""

    def __init__(
        self,
        plan: Sweep,
        set_limit: Callable[[float], float],
        read_limit: Callable[[], float],
        wish: Wish,
        *,
        quiet_s: float = QUIET_S,
    ) -> None:
        """`quiet_s`: for engines that count at long intervals only, longer than one."""
        self.waiting = False
        """Whether the load has stopped, and is waited for."""
        self.problem: str | None = None
        """Why it cannot go on; its points count."""
        self.remarks: list[str] = []
        self._plan = plan
        self._set = set_limit
        self._read = read_limit
        self._wish = wish
        self._quiet_s = quiet_s
        self._stay: Stay | None = None
        self._set_w = 0.0
        self._began = self._set_at = 0.0
        self._quiet_since: float | None = None
        self._missing_since: float | None = None
        self._refusal = ""
        self._rounded = False
        self._again = 0
        self._measured_s = 0.0

    @property
    def done(self) -> bool:
        """Whether nothing is left to measure."""
        return self._plan.done

    @property
    def progress(self) -> Progress:
        """How far it is."""
        made, left = len(self._plan.points), self._plan.left
        each = self._measured_s / made if made else self._wish.measure_s
        return Progress(
            stay=made + 1,
            least=made + left.least,
            most=made + left.most,
            left_s=left.usual * (each + self._wish.settle_s),
        )

    def go_on(self, meter: Meter, now: float, trouble: str | None) -> Point | None:
        """Does what is due; returns the point of a stay that has just ended.

        Args:
            meter: that hears all samples.
            now: monotonic seconds.
            trouble: what keeps llmtop's own load from running, where it makes one.

        Raises:
            LimitError: the limit cannot be set at all.
        """
        stay = self._plan.next()
        if stay is None or self.problem:
            return None
        if stay is not self._stay:
            self._begin(stay, now)
            return None
        if self._is_missing(meter, now):
            return None
        if self._is_quiet(meter, now, trouble):
            self._wait(meter, now, trouble)
            return None
        if self.waiting:
            self.waiting, self._quiet_since = False, None
            meter.begin(now)
            return None
        return self._finish(stay, meter, now)

    def _begin(self, stay: Stay, now: float) -> None:
        self._stay, self._began, self._set_at, self._quiet_since = stay, now, now, None
        wanted = stay.power_limit_w
        try:
            self._set_w = self._set(wanted)
        except (Forbidden, Vanished):
            raise
        except LimitError as error:
            self._skip(wanted, str(error))
            return
        self._refusal = ""
        if abs(self._set_w - wanted) > ROUNDED_W and not self._rounded:
            self._rounded = True
            self.remarks.append(f"the driver rounds limits: {wanted:g} W became {self._set_w:g} W")

    def _skip(self, limit_w: float, why: str) -> None:
        """A limit that was refused. What is said of every limit alike is no refusal of this one."""
        if limit_w == self._plan.highest_w or why == self._refusal:
            self.problem = why
            return
        self._refusal = why
        self.remarks.append(why)
        self._plan.skip(limit_w, why)

    def _is_missing(self, meter: Meter, now: float) -> bool:
        if not meter.missing:
            self._missing_since = None
            return False
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since >= GONE_S:
            self.problem = self._kept(meter.missing[0])
        return True

    def _is_quiet(self, meter: Meter, now: float, trouble: str | None) -> bool:
        if trouble is not None:
            return True
        if "prefill" in self._plan.phases and self._wish.generate:
            return False  # a long prompt makes no tokens
        told = [each for each in (meter.silent_s, meter.quiet_s) if each is not None]
        if not told:
            return now - self._began > self._quiet_s + self._wish.settle_s
        return max(told) > self._quiet_s

    def _wait(self, meter: Meter, now: float, trouble: str | None) -> None:
        self.waiting = True
        if self._quiet_since is None:
            self._quiet_since = now
        patience = HASTE_S if trouble is not None and not self._plan.points else PATIENCE_S
        if now - self._quiet_since > patience:
            self.problem = self._kept(trouble or self._stopped(meter))

    def _stopped(self, meter: Meter) -> str:
        silent = meter.silent_s
        if silent is None or silent > self._quiet_s:
            return "the engine has not answered for a minute"
        if self._wish.generate:
            return "the engine has sent no token for a minute"
        if self._plan.points:
            return "the load has stopped: no token came for a minute"
        return "the engine had nothing to do for a minute: give it work, or let llmtop make it (--load generate)"

    def _kept(self, why: str) -> str:
        return f"{why}; what was measured is kept" if self._plan.points else why

    def _finish(self, stay: Stay, meter: Meter, now: float) -> Point | None:
        point = meter.point
        if point is None:
            if now - self._began > UNTOLD_S + self._wish.settle_s:
                self.problem = self._kept(
                    "the device does not tell its power limit, so nothing can be measured under it"
                )
            return None
        told_other = abs(point.power_limit_w - self._set_w) > OTHER_W and now - self._set_at > HEARD_S
        over = meter.settled and (self._plan.settled(point) or point.seconds >= stay.at_most_s)
        if not (told_other or over):
            return None
        now_w = self._read()
        if abs(now_w - self._set_w) > OTHER_W:
            self._repeat(stay, now_w, now)
            return None
        return self._counted(stay, point) if over else None

    def _counted(self, stay: Stay, point: Point) -> Point | None:
        """The point under the limit that the driver has, whatever else the device tells."""
        unknown = [phase for phase in self._plan.phases if rate_of(point, phase) is None]
        if unknown:
            late = LATE_PROMPT_S if unknown[0] == "prefill" and self._wish.generate else LATE_S
            if point.seconds > stay.at_most_s + late:
                instead = "" if self._wish.generate else ": let llmtop make the load (--load generate)"
                self.problem = self._kept(f"the engine tells no {unknown[0]} rate{instead}")
            return None
        self._again = 0
        self._measured_s += point.seconds
        found = replace(point, power_limit_w=self._set_w)
        self._plan.add(found)
        return found

    def _repeat(self, stay: Stay, now_w: float, now: float) -> None:
        """The limit is another: somebody has set it, or a driver that slept forgot it."""
        self._again += 1
        other = f"the limit became {now_w:g} W while {stay.power_limit_w:g} W was measured"
        if self._again > MOST_AGAIN:
            self.problem = self._kept(f"{other}, again and again: something else sets it")
            return
        self.remarks.append(f"{other}: measured again")
        self._set_at = now
        self._set_w = self._set(stay.power_limit_w)
