"""What a person sees of `llmtop tune` while it runs, on standard error: a line for each point, and one for now."""

import sys
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..format import duration, watts
from ..output import say
from .state import State
from .table import line, speed
from .target import Target

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text

HANGS_S = 3.0
"""Seconds after which a driver that does not answer is worth a word."""
WORDS = {
    "watching": "watching",
    "settling": "settling",
    "measuring": "measuring",
    "waiting": "waiting for the load",
    "done": "done",
    "stopped": "stopped",
}


class Progress:
    """Where standard error is no terminal, it says only what one has to know: that it waits.

    A terminal may go away at any moment; what is measured then has to be put in order all the same.
    """

    def __init__(self, about: Target, *, quiet: bool) -> None:
        """`quiet` leaves remarks out, which are told at the end."""
        from rich.console import Console  # noqa: PLC0415

        self._about = about
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.interactive = self._console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
        self._status: Status | None = None
        self._told = 0
        self._remarks: set[str] = set()
        self._waits = False

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("looking")
            with suppress(OSError):
                self._status.start()
            view = self._about.engine
            engine = f"{view.engine} {view.url}" if view else "no engine"
            self.say(f"{self._about.name}, {engine}. Ctrl-C keeps what was measured and puts the limit back.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            with suppress(OSError):
                self._status.stop()

    def say(self, words: str) -> None:
        """One line that stays."""
        if self._console.is_terminal:
            with suppress(OSError):
                self._console.print(words, markup=False)

    def show(self, state: State, silent_s: float = 0.0) -> None:
        """What is new, and what is done now; `silent_s` is for how long the driver has not answered."""
        for point in state.points[self._told :]:
            self.say(f"  {line(point)}")
        self._told = len(state.points)
        for remark in () if self._quiet else state.remarks:
            if remark not in self._remarks:
                self._remarks.add(remark)
                self.say(f"  note: {remark}")
        waits, before = state.doing == "waiting", self._waits
        self._waits = waits
        if self._status is not None:
            with suppress(OSError):
                self._status.update(_shown(_now(state, silent_s)))
        elif waits and not before:
            say("no token comes: waiting for the load")


def _shown(words: str) -> "Text":
    """One row, however narrow the terminal."""
    from rich.text import Text  # noqa: PLC0415

    return Text(words, no_wrap=True, overflow="ellipsis")


def _now(state: State, silent_s: float) -> str:
    if silent_s > HANGS_S:
        return f"the driver has not answered for {silent_s:.0f} s"
    parts = [watts(state.limit_w), WORDS[state.doing]]
    if state.progress is not None:
        least, most = state.progress.least, state.progress.most
        parts.append(f"about {duration(state.progress.left_s)} left")
        parts.append(f"{state.progress.stay} of {least if least == most else f'{least} to {most}'}")
    if state.now is not None:
        rate = state.now.decode if state.phase == "decode" else state.now.prefill
        if rate is not None:
            parts.append(f"{state.phase} {speed(rate)} tok/s")
        parts.append(f"draws {watts(state.now.power_w)}")
    return " · ".join(parts)
