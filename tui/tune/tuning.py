"""One tuning: a thread that sets limits, measures what they do to the engine, and puts them back.

Command and screen give it orders and look at its state; neither waits for the driver.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

from msgspec.structs import replace

from ...estimator.tuning.steps import Measured
from ...probes.limits.contract import Forbidden, LimitError
from .. import crash
from .bench import Bench
from .drive import Drive, planned, quiet_s
from .held import Held
from .orders import Orders
from .sight import Sight
from .state import Doing, Progress, State
from .target import Target, unmeasured

BEAT_S = 0.2
END_S = 10.0
"""Seconds that the driver has to put the limits back when the tuning is closed; the watchdog has longer."""


class Tuning:
    """Enter it to begin; leaving it puts back every limit that was not to be kept.

    Without the right to set limits it measures all the same: whoever changes one elsewhere gets his point.
    """

    def __init__(self, target: Target, bench: Bench, folder: Path | None = None) -> None:
        """Reads where the limits stand; changes nothing.

        Args:
            target: what is tuned.
            bench: what measures it, and how.
            folder: of journal and locks; None means that of the user.

        Raises:
            LimitError: a limit cannot be read.
        """
        self.target = target
        self.bench = bench
        self.wish = bench.wish
        self._held = Held(target, folder)
        self.ladder = self._held.ladder
        self._drive: Drive | None = None
        self._phase: Measured = self.wish.phases[0]
        self._phases_left: list[Measured] = []
        self._problem: str | None = None
        self._denied = self._busy = False
        self._sight = Sight(target, self.ladder)
        self._rest: Doing = "watching"
        """What it does when no sweep runs."""
        self._phase_s = 0.0
        """Seconds that a whole phase takes, about."""
        self._orders = Orders()
        self._beat_at = time.monotonic()
        self._closing = Event()
        self._thread = Thread(target=self._run, name="tuning", daemon=True)
        self.state = self._look()
        """The newest; replaced as a whole, so any thread may read it."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Puts back what was not kept; returns when that is done, or after some seconds when the driver hangs."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(END_S)
            if self._thread.is_alive():
                then = "; the watchdog puts the power limit back as soon as it does" if self._held.taken else ""
                self.state = replace(self.state, problem=f"the driver does not answer{then}", progress=None)

    @property
    def idle(self) -> bool:
        """Whether all that was ordered is done, and seen in the state; so it is when all is over."""
        return self._orders.idle or (self._thread.ident is not None and not self._thread.is_alive())

    @property
    def silent_s(self) -> float:
        """Seconds for which it has not come to an end of what it does: a driver hangs."""
        return time.monotonic() - self._beat_at if self._thread.is_alive() else 0.0

    # What can be ordered, on any thread; none waits. What comes of it stands in the state.

    def set(self, watts: float) -> None:
        """Sets the limit, within the range of the device. Ends a sweep."""
        self._orders.give(lambda: self._manual(watts))

    def sweep(self) -> None:
        """Measures limit after limit, and finds the lowest that keeps enough."""
        self._orders.give(self._begin_sweep)

    def abort(self) -> None:
        """Ends a sweep, keeps its points, and puts the limits back."""
        self._orders.give(lambda: self._end_sweep("stopped"))

    def revert(self) -> None:
        """Puts the limits back."""
        self._orders.give(self._revert)

    def apply(self) -> None:
        """Sets the limit that was chosen."""
        self._orders.give(self._apply)

    def keep(self) -> None:
        """Leaves the limits as they are, also after the end."""
        self._orders.give(self._keep)

    def keep_busy(self) -> None:
        """Has llmtop's own load run whether a sweep does or not, for whom sets limits by hand."""
        self._orders.give(self._keep_busy)

    def ask(self, keep: float) -> None:
        """Another share of the speed that must be left."""
        self._orders.give(lambda: setattr(self, "wish", replace(self.wish, keep=keep)))

    # The thread.

    def _run(self) -> None:
        fault: str | None = None
        try:
            while not self._closing.wait(BEAT_S):
                self._beat()
        except Exception as error:  # noqa: BLE001 - whoever waits for it must hear of its end
            fault = crash.line(error, crash.note(error, "tuning"))
        try:
            self._give_back()
            self._problem = fault or self._problem
            self.state = self._look()
        except Exception as error:  # noqa: BLE001 - the watchdog does what is left
            fault = fault or crash.line(error, crash.note(error, "tuning"))
            self.state = replace(self.state, problem=fault, doing="stopped", progress=None)

    def _beat(self) -> None:
        self.bench.listen(awaited=self._drive is not None)
        self._held.hear(self.bench.meter.stay.limits_w[0])
        for order in self._orders.take():
            self._problem, self._denied = None, False
            self._try(order)
        self._try(self._held.tick)
        if self._drive is not None:
            self._try(self._go_on)
        self.state = self._look()
        self._orders.done()
        self._beat_at = time.monotonic()

    def _try(self, work: Callable[[], None]) -> None:
        """A driver that refuses ends the sweep, and all limits are put back."""
        try:
            work()
        except LimitError as error:
            self._problem = str(error)
            self._denied = isinstance(error, Forbidden)
            self._halt()
            with suppress(LimitError):
                self._put_back()

    def _set(self, watts: float) -> float:
        now_w = self._held.set(watts)
        self.bench.meter.begin(time.monotonic())
        return now_w

    def _put_back(self) -> None:
        if self._held.put_back():
            self.bench.meter.begin(time.monotonic())

    def _give_back(self) -> None:
        if self._drive is None:
            self.bench.finish()
        self._halt()
        self.bench.unload()
        self._problem = self._held.give_back() or self._problem

    def _manual(self, watts: float) -> None:
        self._halt()
        self._set(self.ladder.within(watts))

    def _revert(self) -> None:
        self._halt()
        self._put_back()

    def _apply(self) -> None:
        chosen = self.state.chosen_w
        if chosen is None:
            self._problem = "no limit is chosen yet: measure some, or begin a sweep"
        else:
            self._manual(chosen)

    def _keep(self) -> None:
        self._problem = self._held.keep()

    def _keep_busy(self) -> None:
        self._busy = True
        if self._drive is None:
            self.bench.load(self.wish.phases[0])

    # A sweep.

    def _begin_sweep(self) -> None:
        if self._drive is not None:
            return
        self._problem = unmeasured(self.target.engine, generate=self.bench.generates)
        if self._problem is None:
            self._phases_left = list(self.wish.phases)
            self._next_phase()

    def _next_phase(self) -> None:
        """With llmtop's own load each phase has a sweep; a load that runs shows both in one."""
        phases = tuple(self._phases_left[:1] if self.bench.generates else self._phases_left)
        del self._phases_left[: len(phases)]
        self._phase = phases[0]
        self.bench.load(phases[0])
        plan = planned(self.wish, self.ladder, phases)
        self._phase_s = plan.left.usual * (self.wish.measure_s + self.wish.settle_s)
        self._drive = Drive(plan, self._set, self._held.read, self.wish, quiet_s=quiet_s(self.target.engine))
        self._go_on()

    def _go_on(self) -> None:
        drive = self._drive
        if drive is None:
            return
        point = drive.go_on(self.bench.meter, time.monotonic(), self.bench.trouble)
        if point is not None:
            self.bench.add(point)
        self.bench.remarks |= dict.fromkeys(drive.remarks)
        if drive.problem:
            self._problem = drive.problem
            self._end_sweep("stopped")
        elif drive.done and self._phases_left:
            self._next_phase()
        elif drive.done:
            self._end_sweep("done")

    def _end_sweep(self, how: Doing) -> None:
        if self._drive is not None:
            self._halt(how)
            self._put_back()

    def _halt(self, how: Doing = "stopped") -> None:
        """Ends a sweep, where the limits stand."""
        if self._drive is not None:
            self._drive, self._rest = None, how
            self._phases_left.clear()
            self.bench.drop()
            self.bench.unload()
            if self._busy and not self._closing.is_set():
                self.bench.load(self.wish.phases[0])

    # What is seen of it.

    def _look(self) -> State:
        now, points = self.bench.meter.point, tuple(self.bench.points)
        counted = points if self._drive else self.bench.counted
        found, ahead = self._sight.look(counted, now if self.bench.meter.settled else None, self._phase, self.wish)
        remarks = (*self.target.notes, *self.bench.remarks, *self._held.remarks)
        return State(
            doing=self._doing(),
            phase=self._phase,
            limit_w=self._held.now_w,
            original_w=self._held.original_w,
            lowest_w=self.ladder.lowest_w,
            highest_w=self.ladder.highest_w,
            top_w=self.ladder.top_w,
            changed=self._held.changed,
            borrowed=self._held.taken,
            kept=self._held.kept,
            keep=self.wish.keep,
            now=now,
            points=points,
            curve=ahead.guesses,
            refitted=ahead.refitted,
            choices=found,
            progress=self._progress,
            remarks=tuple(dict.fromkeys(remarks)),
            problem=self._problem or self.bench.trouble,
            denied=self._denied,
        )

    @property
    def _progress(self) -> Progress | None:
        if self._drive is None:
            return None
        found = self._drive.progress
        return replace(found, left_s=found.left_s + len(self._phases_left) * self._phase_s)

    def _doing(self) -> Doing:
        if self._drive is None:
            return self._rest
        if self._drive.waiting:
            return "waiting"
        return "measuring" if self.bench.meter.settled else "settling"
