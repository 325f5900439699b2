"""What a tuning found, as text for a terminal and as CSV."""

import csv
import io
import textwrap
from collections.abc import Sequence

from ...estimator.tuning.choice import Choice
from ...estimator.tuning.point import Point, Rate
from ...estimator.tuning.steps import Step
from ..fit.columns import Form, fitting
from ..format import UNKNOWN, celsius, exact_rate, joules, megahertz, percent, watts
from .state import State

HEAD = ("", "LIMIT", "DRAWS", "TOK/S", "KEPT", "PER TOKEN", "THROTTLED", "CLOCK", "HEAT")
STAYS = ("", "LIMIT", "TOK/S", "KEPT")
"""What a narrow terminal shows at least."""
MARKS = {True: "*", False: ""}
FIELDS = (
    "phase",
    "power_limit_w",
    "power_w",
    "tps",
    "error_tps",
    "kept",
    "kept_low",
    "kept_high",
    "joules_per_token",
    "sm_clock_mhz",
    "temperature_c",
    "throttled_share",
    "samples",
    "chosen",
)


def text(state: State, width: int) -> str:
    """A table for each phase, and what it says in sentences."""
    return "\n\n".join("\n".join(_block(choice, width)) for choice in state.choices)


def _block(choice: Choice, width: int) -> list[str]:
    cells = [HEAD, *(_cells(step, choice) for step in choice.steps)]
    bare = [tuple(cell.partition(" ±")[0] for cell in line) for line in cells]
    keep = [HEAD.index(name) for name in STAYS]
    lines = [
        f"{choice.phase} under each power limit",
        *fitting([Form(cells, keep), Form(bare, keep)], columns=width),
        "",
    ]
    for sentence in choice.sentences:
        lines += textwrap.wrap(sentence, width, subsequent_indent="  ")
    return lines


def line(point: Point) -> str:
    """One stay that has just ended."""
    rates = [
        f"{name} {speed(rate)} tok/s" for name, rate in (("decode", point.decode), ("prefill", point.prefill)) if rate
    ]
    energy = [] if point.joules_per_token is None else [f"{joules(point.joules_per_token)}/token"]
    return f"{watts(point.power_limit_w)}: {', '.join([*rates, f'draws {watts(point.power_w)}', *energy])}"


def speed(rate: Rate | None) -> str:
    """With its standard error: "62.1 ± 0.3"."""
    if rate is None:
        return UNKNOWN
    return exact_rate(rate.tps) + (f" ± {exact_rate(rate.error_tps)}" if rate.error_tps is not None else "")


def kept(step: Step) -> str:
    """With what it may be off, at 95 % confidence: "98.2 % ± 0.4"."""
    off = f" ± {100.0 * step.margin:.1f}" if step.margin else ""
    return f"{100.0 * step.kept:.1f} %{off}"


def is_chosen(step: Step, choice: Choice) -> bool:
    """Whether this is the limit to take."""
    return choice.chosen is not None and step.power_limit_w == choice.chosen.power_limit_w


def _cells(step: Step, choice: Choice) -> tuple[str, ...]:
    point = step.point
    return (
        MARKS[is_chosen(step, choice)],
        watts(step.power_limit_w),
        watts(point.power_w),
        speed(_rate(step, choice)),
        kept(step),
        joules(point.joules_per_token),
        percent(point.throttled_share),
        megahertz(point.sm_clock_mhz),
        celsius(point.temperature_c),
    )


def _rate(step: Step, choice: Choice) -> Rate | None:
    return step.point.decode if choice.phase == "decode" else step.point.prefill


def comma_separated(choices: Sequence[Choice]) -> str:
    """A row for each limit; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for choice in choices:
        for step in choice.steps:
            point, rate = step.point, _rate(step, choice)
            row: list[object] = [
                choice.phase,
                step.power_limit_w,
                point.power_w,
                rate.tps if rate else None,
                rate.error_tps if rate else None,
                step.kept,
                step.kept_low,
                step.kept_high,
                point.joules_per_token,
                point.sm_clock_mhz,
                point.temperature_c,
                point.throttled_share,
                point.samples,
                int(is_chosen(step, choice)),
            ]
            writer.writerow(["" if each is None else each for each in row])
    return out.getvalue().rstrip("\n")
