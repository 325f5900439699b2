"""A choice in plain sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .steps import Step

if TYPE_CHECKING:
    from .choice import Choice

MOVED = 0.01
"""Drift that is worth a sentence."""


def sentences(choice: "Choice") -> tuple[str, ...]:
    """What a person should know, the answer first."""
    return (*_answer(choice), *_never_reached(choice), *_open(choice), *_around(choice))


def _answer(choice: "Choice") -> Iterator[str]:
    top = choice.baseline.power_limit_w
    chosen = choice.chosen
    if choice.uneven:
        yield (
            f"The load is too uneven to judge: {choice.uneven}. "
            "Keep it the same, or let llmtop make it (--load generate)."
        )
    elif len(choice.steps) == 1:
        yield f"Only {top:.0f} W was measured: there is nothing to compare it with."
    elif chosen is None:
        yield _cannot_tell(choice)
    elif chosen.power_limit_w == top:
        yield f"No lower limit surely keeps {100.0 * choice.keep:.0f} % of the speed at {top:.0f} W."
    else:
        least = "" if choice.kept_low is None else f" (at least {100.0 * choice.kept_low:.1f} %, 95 % sure)"
        kept = min(choice.kept or 0.0, 1.0)
        yield f"{chosen.power_limit_w:.0f} W keeps {100.0 * kept:.1f} % of the speed at {top:.0f} W{least}."
        yield from _saving(choice)
    if choice.plateau_w and choice.plateau_w[0] != top:
        lowest, highest = choice.plateau_w[-1], choice.plateau_w[0]
        yield f"{lowest:.0f} to {highest:.0f} W are all the same: the lowest of them is chosen."


def _cannot_tell(choice: "Choice") -> str:
    if choice.resolution is None:
        return (
            "Cannot tell anything: each limit was measured too briefly to know the error; measure longer (--measure)."
        )
    return (
        f"Cannot tell a loss below {100.0 * choice.resolution:.1f} %: "
        "the load is too noisy; measure longer (--measure), "
        f"or give the engine the same work all the time (--load generate)."
    )


def _saving(choice: "Choice") -> Iterator[str]:
    if choice.chosen is None or choice.saved_w is None:
        return
    before, after = choice.baseline.joules_per_token, choice.chosen.joules_per_token
    instead = f", {after:.3g} J a token instead of {before:.3g}" if before and after else ""
    if choice.saved_w >= 1.0:
        yield f"It draws {choice.saved_w:.0f} W less{instead}."
    else:
        yield "It saves nothing: the draw is the same."


def _never_reached(choice: "Choice") -> Iterator[str]:
    if choice.never_binds_from_w is not None and choice.baseline.power_w is not None:
        drawn = choice.baseline.power_w
        yield f"No limit from {choice.never_binds_from_w:.0f} W up is ever reached: it draws {drawn:.0f} W."


def _open(choice: "Choice") -> Iterator[str]:
    """Limits below the chosen one that may keep enough too."""
    if choice.chosen is None:
        return
    maybe: list[Step] = []
    for step, verdict in zip(choice.steps, choice.verdicts, strict=True):
        if verdict == "fails":
            break
        if verdict == "unsure" and step.power_limit_w < choice.chosen.power_limit_w and step.falling >= choice.keep:
            maybe.append(step)
    if maybe:
        limit = f"{maybe[-1].power_limit_w:.0f} W"
        error = "" if maybe[-1].margin is None else f" ± {100.0 * maybe[-1].margin:.1f}"
        yield f"{limit} may keep enough too ({100.0 * maybe[-1].kept:.1f} %{error}): measuring longer would tell."


def _around(choice: "Choice") -> Iterator[str]:
    if choice.drift >= MOVED and choice.uneven is None:
        yield (
            f"The speed at {choice.baseline.power_limit_w:.0f} W moved by {100.0 * choice.drift:.1f} % meanwhile: "
            "each limit is compared with the speed around its own time."
        )
    others = tuple(dict.fromkeys(each for step in choice.steps for each in step.point.other_throttles))
    if others:
        yield f"Not only the power limit held the clocks down: {', '.join(others)}."
