"""How a tuning ends, and what a person should know of its limits. Any of it may wait for a driver."""

from collections.abc import Sequence
from typing import Literal

from ..format import watts
from .target import Target
from .tuning import Tuning

Severity = Literal["information", "warning", "error"]


def end(tuning: Tuning) -> tuple[str, Severity]:
    """Puts back what was not kept. Returns what to say; nothing where nothing was changed."""
    before = tuning.state
    tuning.close()
    after = tuning.state
    if after.kept is not None:
        return f"The power limit stays at {watts(after.limit_w)}. This undoes it: {'; '.join(after.kept)}", "warning"
    undone = before.goes_back or before.progress is not None
    if after.problem and undone and after.problem != before.problem:
        return after.problem, "error"
    if undone:
        return f"Power limit put back to {watts(after.original_w)}.", "information"
    return "", "information"


def commands(tuning: Tuning, limit_w: float, paces: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """What somebody types who may set limits: by how much less, and the command for all devices."""
    found: list[tuple[float, str]] = []
    for less in paces:
        if limit_w - less >= tuning.ladder.lowest_w:
            settings = tuning.ladder.settings(limit_w - less)
            each = [limit.command(setting) for limit, setting in zip(tuning.target.flat, settings, strict=True)]
            found.append((less, "; ".join(each)))
    return tuple(found)


def stock(about: Target) -> float | None:
    """The stock limit of the first device; None where the vendor tells none."""
    known = [limit.default_w for limit in about.limits[0]]
    return None if None in known else sum(each for each in known if each is not None)
