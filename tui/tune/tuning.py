"""One tuning: a thread that sets limits, measures what they do to the engine, and puts them back.

Command and screen give it orders and look at its state; neither waits for the driver.
"""

import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Self

from msgspec.structs import replace

from ...estimator.tuning.steps import Measured
from ...estimator.tuning.sweep import Sweep
from ...probes.limits.borrowed import Borrowed
from ...probes.limits.contract import LimitError
from .bench import Bench
from .drive import Drive
from .ladder import ladder
from .sight import SAME_W, choices, curve
from .state import Doing, State
from .target import Target

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
        originals = tuple(limit.read() for limit in target.flat)
        self.ladder = ladder(target.limits, originals)
        self._original_w = self._known_w = sum(originals[: len(target.limits[0])])
        self._folder = folder
        self._loan: Borrowed | None = None
        self._drive: Drive | None = None
        self._phase: Measured = self.wish.phases[0]
        self._phases_left: list[Measured] = []
        self._problem: str | None = None
        self._kept: tuple[str, ...] | None = None
        self._rest: Doing = "watching"
        """What it does when no sweep runs."""
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
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

    # What can be ordered, on any thread; none waits. What comes of it stands in the state.

    def set(self, watts: float) -> None:
        """Sets the limit, within the range of the device. Ends a sweep."""
        self._orders.put(lambda: self._manual(watts))

    def step(self, watts: float) -> None:
        """Moves the limit by so much."""
        self._orders.put(lambda: self._manual(self._known_w + watts))

    def sweep(self) -> None:
        """Measures limit after limit, and finds the lowest that keeps enough."""
        self._orders.put(self._begin_sweep)

    def abort(self) -> None:
        """Ends a sweep, keeps its points, and puts the limits back."""
        self._orders.put(lambda: self._end_sweep("stopped"))

    def revert(self) -> None:
        """Puts the limits back."""
        self._orders.put(self._revert)

    def apply(self) -> None:
        """Sets the limit that was chosen."""
        self._orders.put(self._apply)

    def keep(self) -> None:
        """Leaves the limits as they are, also after the end."""
        self._orders.put(self._keep)

    def ask(self, keep: float) -> None:
        """Another share of the speed that must be left."""
        self._orders.put(lambda: self._ask(keep))

    # The thread.

    def _run(self) -> None:
        try:
            while not self._closing.wait(BEAT_S):
                self._beat()
        finally:
            self._give_back()
            self.state = self._look()

    def _beat(self) -> None:
        self.bench.listen(awaited=self._drive is not None)
        while True:
            try:
                order = self._orders.get_nowait()
            except Empty:
                break
            self._problem = None
            self._try(order)
        if self._loan is not None:
            self._try(self._loan.tick)
        if self._drive is not None:
            self._try(self._go_on)
        self.state = self._look()

    def _try(self, work: Callable[[], None]) -> None:
        """A driver that refuses ends the sweep, and nothing else."""
        try:
            work()
        except LimitError as error:
            self._problem = str(error)
            self._halt()

    def _set(self, watts: float) -> float:
        """Sets all limits for so much of the first device. Returns what that one is at then."""
        if self._loan is None:
            self._loan = Borrowed(self.target.flat, self._folder).__enter__()
        self._kept = None
        told = self._loan.set(self.ladder.settings(watts))
        self.bench.meter.begin(time.monotonic())
        self._known_w = sum(told[: len(self.target.limits[0])])
        return self._known_w

    def _read(self) -> float:
        return sum(limit.read() for limit in self.target.limits[0])

    def _put_back(self) -> None:
        if self._loan is not None:
            self._kept = None
            self._loan.restore()
            self._known_w = self._read()
            self.bench.meter.begin(time.monotonic())

    def _give_back(self) -> None:
        self._halt()
        if self._loan is not None:
            try:
                self._loan.__exit__(None, None, None)
            except LimitError as error:
                self._problem = str(error)

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
        if self._loan is None or not self.state.changed:
            self._problem = "the limit is what it was: there is nothing to keep"
        else:
            self._kept = self._loan.keep()

    def _ask(self, keep: float) -> None:
        self.wish = replace(self.wish, keep=keep)

    # A sweep.

    def _begin_sweep(self) -> None:
        if self._drive is None:
            self._phases_left = list(self.wish.phases)
            self._next_phase()

    def _next_phase(self) -> None:
        """With llmtop's own load each phase has a sweep; a load that runs shows both in one."""
        phases = tuple(self._phases_left[:1] if self.bench.generates else self._phases_left)
        del self._phases_left[: len(phases)]
        self._phase = phases[0]
        self.bench.load(phases[0])
        plan = Sweep(
            self.ladder.lowest_w,
            self.ladder.highest_w,
            steps=self.wish.steps,
            keep=self.wish.keep,
            measure_s=self.wish.measure_s,
            phases=phases,
        )
        self._drive = Drive(plan, self._set, self._read, self.wish)
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
            self.bench.unload()

    # What is seen of it.

    def _look(self) -> State:
        now, points = self.bench.meter.point, tuple(self.bench.points)
        counted = points if self._drive else self.bench.counted
        found = choices(counted, self.wish.phases, self.wish.keep)
        choice = next((each for each in found if each.phase == self._phase), None)
        ahead = curve(self.target, self.ladder, self._phase, choice, now)
        limit_w = now.power_limit_w if now else self._known_w
        remarks = (*self.target.notes, *self.bench.remarks, *(self._loan.remarks if self._loan else ()))
        return State(
            doing=self._doing(),
            phase=self._phase,
            limit_w=limit_w,
            original_w=self._original_w,
            lowest_w=self.ladder.lowest_w,
            highest_w=self.ladder.highest_w,
            top_w=self.ladder.top_w,
            changed=abs(limit_w - self._original_w) > SAME_W,
            kept=self._kept,
            keep=self.wish.keep,
            now=now,
            points=points,
            curve=ahead.guesses,
            refitted=ahead.refitted,
            choices=found,
            progress=self._drive.progress if self._drive else None,
            remarks=tuple(dict.fromkeys(remarks)),
            problem=self._problem or self.bench.trouble,
        )

    def _doing(self) -> Doing:
        if self._drive is None:
            return self._rest
        if self._drive.waiting:
            return "waiting"
        return "measuring" if self.bench.meter.settled else "settling"
