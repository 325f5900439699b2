"""Carries a sweep out: sets each limit, waits until its speed is known well enough, and hands the point on."""

from collections.abc import Callable

from ...estimator.tuning.meter import Meter
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import rate_of
from ...estimator.tuning.sweep import Stay, Sweep
from ...probes.limits.contract import Forbidden, LimitError, Vanished
from .state import Progress
from .wish import Wish

QUIET_S = 6.0
"""Seconds without a token after which the load counts as stopped."""
PATIENCE_S = 60.0
"""Seconds that a load which has stopped is waited for."""
ROUNDED_W, OTHER_W = 1.0, 2.0
"""How far a limit may be from what was set: rounded by the driver, or set by somebody else."""
MOST_AGAIN = 2
"""Times that a stay is made again because somebody else has set the limit."""


class Drive:
    """One sweep. It has no thread: `go_on` is called a few times a second."""

    def __init__(
        self, plan: Sweep, set_limit: Callable[[float], float], read_limit: Callable[[], float], wish: Wish
    ) -> None:
        self.waiting = False
        """Whether the load has stopped, and is waited for."""
        self.problem: str | None = None
        """Why it cannot go on; its points count."""
        self.remarks: list[str] = []
        self._plan = plan
        self._set = set_limit
        self._read = read_limit
        self._wish = wish
        self._stay: Stay | None = None
        self._set_w = 0.0
        self._began = 0.0
        self._quiet_since: float | None = None
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
        if meter.missing:
            self.problem = f"{meter.missing[0]}; what was measured is kept"
            return None
        if self._is_quiet(meter, now, trouble):
            self._wait(now, trouble)
            return None
        if self.waiting:
            self.waiting, self._quiet_since = False, None
            meter.begin(now)
            return None
        return self._finish(stay, meter)

    def _begin(self, stay: Stay, now: float) -> None:
        self._stay, self._began, self._quiet_since = stay, now, None
        wanted = stay.power_limit_w
        try:
            self._set_w = self._set(wanted)
        except (Forbidden, Vanished):
            raise
        except LimitError as error:
            self.remarks.append(str(error))
            self._plan.skip(wanted, str(error))
            if wanted == self._plan.highest_w:
                self.problem = str(error)
            return
        if abs(self._set_w - wanted) > ROUNDED_W:
            self.remarks.append(f"the driver made {self._set_w:g} W of {wanted:g} W")

    def _is_quiet(self, meter: Meter, now: float, trouble: str | None) -> bool:
        if trouble is not None:
            return True
        if "prefill" in self._plan.phases and self._wish.generate:
            return False  # a long prompt makes no tokens
        silent = meter.silent_s
        quiet = meter.quiet_s
        since_begin = now - self._began
        told = [each for each in (silent, quiet) if each is not None]
        if not told:
            return since_begin > QUIET_S + self._wish.settle_s
        return max(told) > QUIET_S

    def _wait(self, now: float, trouble: str | None) -> None:
        self.waiting = True
        if self._quiet_since is None:
            self._quiet_since = now
        if now - self._quiet_since > PATIENCE_S:
            why = trouble or f"no token came for {PATIENCE_S:.0f} s: the load has stopped"
            self.problem = f"{why}; what was measured is kept"

    def _finish(self, stay: Stay, meter: Meter) -> Point | None:
        point = meter.point
        if point is None or not meter.settled:
            return None
        if not self._plan.settled(point) and point.seconds < stay.at_most_s:
            return None
        if abs(self._read() - self._set_w) > OTHER_W:
            self._repeat(stay)
            return None
        unknown = [phase for phase in self._plan.phases if rate_of(point, phase) is None]
        if unknown:
            self.problem = f"the engine tells no {unknown[0]} rate: let llmtop make the load (--load generate)"
            return None
        self._again = 0
        self._measured_s += point.seconds
        self._plan.add(point)
        return point

    def _repeat(self, stay: Stay) -> None:
        """Somebody else has set the limit."""
        self._again += 1
        other = f"somebody set the limit to {self._read():g} W while {stay.power_limit_w:g} W was measured"
        if self._again > MOST_AGAIN:
            self.problem = f"{other}, again and again; what was measured is kept"
            return
        self.remarks.append(f"{other}: measured again")
        self._set_w = self._set(stay.power_limit_w)
