"""What a person sees of `llmtop tune` while it runs, on standard error: a line for each point, and one for now."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..format import duration, watts
from .state import State
from .table import line, speed
from .target import Target

if TYPE_CHECKING:
    from rich.status import Status

WORDS = {
    "watching": "watching",
    "settling": "settling",
    "measuring": "measuring",
    "waiting": "waiting for the load",
    "done": "done",
    "stopped": "stopped",
}


class Progress:
    """Says nothing where standard error is no terminal."""

    def __init__(self, about: Target, *, quiet: bool) -> None:
        """`quiet` leaves the points out, for whom another program reads."""
        from rich.console import Console  # noqa: PLC0415

        self._about = about
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.interactive = self._console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
        self._status: Status | None = None
        self._told = 0
        self._remarks: set[str] = set()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("looking")
            self._status.start()
            view = self._about.engine
            engine = f"{view.engine} {view.url}" if view else "no engine"
            self.say(f"{self._about.name}, {engine}. Ctrl-C keeps what was measured and puts the limit back.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, words: str) -> None:
        """One line that stays."""
        if self._console.is_terminal:
            self._console.print(words, markup=False)

    def show(self, state: State) -> None:
        """What is new, and what is done now."""
        for point in state.points[self._told :]:
            self.say(f"  {line(point, 'decode' if point.decode and state.phase == 'decode' else state.phase)}")
        self._told = len(state.points)
        for remark in state.remarks:
            if remark not in self._remarks:
                self._remarks.add(remark)
                self.say(f"  note: {remark}")
        if self._status is not None:
            self._status.update(_now(state))


def _now(state: State) -> str:
    parts = [watts(state.limit_w), WORDS[state.doing]]
    if state.now is not None:
        rate = state.now.decode if state.phase == "decode" else state.now.prefill
        if rate is not None:
            parts.append(f"{state.phase} {speed(rate)} tok/s")
        parts.append(f"draws {watts(state.now.power_w)}")
    if state.progress is not None:
        least, most = state.progress.least, state.progress.most
        parts.append(f"{state.progress.stay} of {least if least == most else f'{least} to {most}'}")
        parts.append(f"about {duration(state.progress.left_s)} left")
    return " · ".join(parts)
