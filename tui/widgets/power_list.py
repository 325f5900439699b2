"""The limits that were measured, from the highest down."""

from collections.abc import Sequence

from ...estimator.tuning.choice import Choice
from ...estimator.tuning.steps import Step, rate_of
from ..format import celsius, joules, megahertz, percent, watts
from ..tune.state import State
from ..tune.table import kept, speed
from .panel import Listing, empty
from .power_facts import SAME_W
from .row import Row, Span, right, row

COLUMNS = (
    ("limit", 6, 0),
    ("draws", 6, 3),
    ("tok/s", 11, 1),
    ("kept", 13, 0),
    ("J/token", 7, 2),
    ("capped", 6, 4),
    ("clock", 8, 5),
    ("heat", 5, 6),
)
"""Heading, width, and which goes first when room is short: the highest number."""
VERDICTS = {"keeps": "good", "fails": "warn", "unsure": "text"}
"""Inks of what each limit keeps."""
SIGNS = {"keeps": "✓", "fails": "✗", "unsure": "?"}


class PowerList(Listing):
    """One line for each limit."""

    state: State | None = None

    def tell(self, state: State) -> None:
        """Another moment."""
        self.state = state
        self.repaint()

    def total(self) -> int:
        """Limits; one line where there is none yet."""
        return max(len(self._lines), 1)

    def head(self, width: int) -> Sequence[Row]:
        """Headings of the columns."""
        names: list[Span] = [(right(name, size) + "  ", "head") for name, size in columns(width)]
        return (row(("    ", "head"), *names),)

    def line(self, index: int, width: int) -> Row:
        """One limit, or the name of a phase where there are several."""
        if self.state is None or not self._lines:
            return empty("    nothing measured yet", width)
        choice, at = self._lines[index]
        return step_row(choice, at, self.state, width) if at is not None else row((f"    {choice.phase}", "head"))

    @property
    def _lines(self) -> list[tuple[Choice, int | None]]:
        """The phase of now first."""
        state = self.state
        if state is None:
            return []
        order = sorted(state.choices, key=lambda choice: choice.phase != state.phase)
        found: list[tuple[Choice, int | None]] = []
        for choice in order:
            found += [(choice, None)] if len(order) > 1 else []
            found += [(choice, at) for at in range(len(choice.steps))]
        return found


def columns(width: int) -> list[tuple[str, int]]:
    """Those that fit."""
    kept_columns = sorted(COLUMNS, key=lambda each: each[2])
    while kept_columns and 2 + sum(size + 2 for _, size, _ in kept_columns) > width:
        kept_columns.pop()
    return [(name, size) for name, size, _ in COLUMNS if any(each[0] == name for each in kept_columns)]


def step_row(choice: Choice, index: int, state: State, width: int) -> Row:
    """Its marks: the limit of now, and the one to take."""
    step, verdict = choice.steps[index], choice.verdicts[index]
    chosen = len(choice.steps) > 1 and state.chosen_w == step.power_limit_w
    here = abs(step.power_limit_w - state.limit_w) <= SAME_W
    spans: list[Span] = [("◉" if here else " ", "strong"), ("◆ " if chosen else "  ", "good")]
    spans.append((SIGNS[verdict] if index else " ", VERDICTS[verdict]))
    for name, size in columns(width):
        ink = VERDICTS[verdict] if name == "kept" and index else "strong" if name == "limit" or chosen else "text"
        spans.append((right(_cell(name, step, choice), size) + "  ", ink))
    return row(*spans)._replace(ground="cursor" if chosen else "")


def _cell(name: str, step: Step, choice: Choice) -> str:
    point = step.point
    return {
        "limit": lambda: watts(step.power_limit_w),
        "draws": lambda: watts(point.power_w),
        "tok/s": lambda: speed(rate_of(point, choice.phase)),
        "kept": lambda: kept(step),
        "J/token": lambda: joules(point.joules_per_token),
        "capped": lambda: percent(point.throttled_share),
        "clock": lambda: megahertz(point.sm_clock_mhz),
        "heat": lambda: celsius(point.temperature_c),
    }[name]()
