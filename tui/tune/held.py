"""The power limits of a target: where they were, where they are, and back again."""

import time
from contextlib import suppress
from pathlib import Path

from ...probes.limits.borrowed import Borrowed
from ...probes.limits.contract import LimitError
from .drive import HEARD_S, OTHER_W
from .ladder import Ladder, ladder
from .sight import SAME_W
from .target import Target


class Held:
    """Taken when the first limit is set. One thread at a time may use it; watts are those of the first device."""

    def __init__(self, target: Target, folder: Path | None) -> None:
        """Reads them, and changes nothing.

        Args:
            target: whose limits.
            folder: of journal and locks; None means that of the user.

        Raises:
            LimitError: one cannot be read.
        """
        self._target, self._folder = target, folder
        self._own = len(target.limits[0])
        self._originals = self._told = tuple(limit.read() for limit in target.flat)
        self.ladder: Ladder = ladder(target.limits, self._originals)
        self.now_w = sum(self._told[: self._own])
        """As the device told it last."""
        self.kept: tuple[str, ...] | None = None
        """The commands that undo what will be left as it is."""
        self._loan: Borrowed | None = None
        self._heard_w: float | None = None
        self._set_at = float("-inf")

    @property
    def original_w(self) -> float:
        """Where it is put back to."""
        return sum(self._originals[: self._own])

    @property
    def changed(self) -> bool:
        """Whether any of them is another than it was."""
        others = zip(self._told[self._own :], self._originals[self._own :], strict=True)
        return abs(self.now_w - self.original_w) > SAME_W or any(abs(now - was) > SAME_W for now, was in others)

    @property
    def taken(self) -> bool:
        """Whether they have to be given back."""
        return self._loan is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What happened to them, a sentence each."""
        return self._loan.remarks if self._loan else ()

    def hear(self, watts: float | None) -> None:
        """What a probe tells of the first device: somebody else may have set it."""
        before, self._heard_w = self._heard_w, watts
        if watts is not None and watts != before and time.monotonic() - self._set_at > HEARD_S:
            self.now_w = watts

    def tick(self) -> None:
        """Looks whether the watchdog lives. Raises LimitError: it does not, and all limits are put back."""
        if self._loan is not None:
            self._loan.tick()

    def set(self, watts: float) -> float:
        """Sets all limits, the others at the same share. Returns what the first device is at then.

        Raises:
            LimitError: one is refused; all are put back.
        """
        if self._loan is None:
            self._loan = Borrowed(self._target.flat, self._folder).__enter__()
            self._originals = self._loan.originals_w
        self.kept = None
        self._is_at(self._loan.set(self.ladder.settings(watts)))
        return self.now_w

    def read(self) -> float:
        """Where the first device is; where another has left the step, what the first would be at then.

        Raises:
            LimitError: one cannot be read.
        """
        now = self._read()
        first = sum(now[: self._own])
        if abs(first - sum(self._told[: self._own])) <= OTHER_W:
            for found, told in zip(now, self._told, strict=True):
                if abs(found - told) > OTHER_W:
                    return first * found / told
        return first

    def put_back(self) -> bool:
        """Puts all of them back; False where none was taken.

        Raises:
            LimitError: one could not be put back.
        """
        if self._loan is None:
            return False
        self.kept = None
        self._loan.restore()
        self._is_at(self._read())
        return True

    def keep(self) -> str | None:
        """Leaves them as they are at the end, too. Returns why that makes no sense.

        Raises:
            LimitError: it could not be noted, so they will be put back.
        """
        if self._loan is None or not self.changed:
            return "the limit is what it was: there is nothing to keep"
        self.kept = self._loan.keep()
        return None

    def give_back(self) -> str | None:
        """The end: puts back what was not kept. Returns why it could not be done."""
        if self._loan is None:
            return None
        problem = None
        try:
            self._loan.__exit__(None, None, None)
        except LimitError as error:
            problem = str(error)
        with suppress(LimitError):  # of a device that is gone, what it told last
            self._is_at(self._read())
        return problem

    def _read(self) -> tuple[float, ...]:
        return tuple(limit.read() for limit in self._target.flat)

    def _is_at(self, told: tuple[float, ...]) -> None:
        self._told, self.now_w = told, sum(told[: self._own])
        self._set_at = time.monotonic()
