"""What a person sees of a tuning at one moment."""

from typing import Literal

from msgspec import Struct

from ...estimator.tuning.choice import Choice
from ...estimator.tuning.curve import Guess
from ...estimator.tuning.point import Point
from ...estimator.tuning.steps import Measured

Doing = Literal["watching", "settling", "measuring", "waiting", "done", "stopped"]


class Progress(Struct, frozen=True, kw_only=True):
    """How far a sweep is."""

    stay: int
    """The one that is made now, from 1."""
    least: int
    most: int
    """Stays in all."""
    left_s: float
    """About."""


class State(Struct, frozen=True, kw_only=True):
    """Frozen: the thread that measures makes a new one a few times a second."""

    doing: Doing = "watching"
    phase: Measured = "decode"
    limit_w: float
    """Of the first device, as it told it last."""
    original_w: float
    lowest_w: float
    highest_w: float
    top_w: float
    changed: bool = False
    """Whether the limit is another than it was."""
    borrowed: bool = False
    """Whether llmtop has set it: then it is put back in the end, and not where somebody else has."""
    kept: tuple[str, ...] | None = None
    """What undoes a limit that will be left as it is; None as long as it will be put back."""
    keep: float
    now: Point | None = None
    """The stay of now, settled or not."""
    points: tuple[Point, ...] = ()
    """Stays that are over."""
    curve: tuple[Guess, ...] = ()
    """What is expected, and what after some measurements."""
    refitted: bool = False
    choices: tuple[Choice, ...] = ()
    progress: Progress | None = None
    """None without a sweep."""
    remarks: tuple[str, ...] = ()
    """What happened, oldest first, a sentence each."""
    problem: str | None = None
    """Why the last thing that was asked for was not done."""
    denied: bool = False
    """Whether that is because this user may not set the limit."""

    @property
    def goes_back(self) -> bool:
        """Whether there is a change of llmtop's own that will be undone in the end."""
        return self.changed and self.borrowed and self.kept is None

    @property
    def choice(self) -> Choice | None:
        """That of the phase that is measured now."""
        return next((each for each in self.choices if each.phase == self.phase), None)

    @property
    def chosen_w(self) -> float | None:
        """The lowest limit that keeps enough in every phase; None as long as one of them cannot tell."""
        chosen = [each.chosen.power_limit_w for each in self.choices if each.chosen]
        return max(chosen) if chosen and len(chosen) == len(self.choices) else None
