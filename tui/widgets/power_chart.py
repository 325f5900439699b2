"""The speed over the power limit: what is expected, what was measured, and what is asked for."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ...estimator.tuning.steps import Step
from ..format import joules, percent, watts
from ..tune.state import State
from .power_axis import GUTTER, MARGIN, Axis, axis
from .power_facts import chosen_w, expected_w, now_share, step_now, unit_w
from .power_plot import Plot
from .row import BLANK, Row, Span, parts, right, row

TOP = 1.02
"""Share of the speed at the upper edge."""
LEAST_FLOOR = 0.5
"""The lower edge is no lower than this, unless something slower was measured."""
AROUND = 0.12
"""What is shown at least below the share that is to be kept."""
ROOMY = 8
"""Lines from which a second scale is no crowd."""


class Scale(NamedTuple):
    """What the picture is scaled to."""

    floor: float
    ceiling: float

    def share(self, kept: float) -> float:
        """0 at the lower edge, 1 at the upper."""
        return (kept - self.floor) / (self.ceiling - self.floor)


class Curve(NamedTuple):
    """What is expected, from the lowest limit up; shares are of the speed that counts as 100 %."""

    limits_w: list[float]
    kept: list[float]
    low: list[float]
    high: list[float]


def chart(state: State, width: int, height: int) -> list[Row]:
    """A line that says what is what, then the picture; the slider below it is its axis."""
    if height < 3 or width < GUTTER + MARGIN + 10:
        return [BLANK] * max(height, 0)
    along, plot = axis(state, width), Plot(width - GUTTER - MARGIN, height - 1)
    curve = _curve(state)
    scale = _scale(state, curve)
    _draw_curve(plot, along, scale, curve)
    plot.dashes(scale.share(state.keep), "good")
    _draw_answer(plot, along, scale, state)
    second = _draw_joules(plot, along, state) if plot.rows >= ROOMY else None
    _draw_points(plot, along, scale, state)
    return [_legend(state, width, second), *_lines(plot, scale, state, second)]


def _curve(state: State) -> Curve:
    guesses = sorted(state.curve, key=lambda guess: guess.power_limit_w)
    limits_w = [guess.power_limit_w for guess in guesses]
    # below the highest limit where only lower ones were measured
    unit = _between(limits_w, [guess.kept for guess in guesses], unit_w(state)) or 1.0
    kept, low, high = ([getattr(guess, name) / unit for guess in guesses] for name in ("kept", "low", "high"))
    return Curve(limits_w, kept, low, high)


def _scale(state: State, curve: Curve) -> Scale:
    here, steps = now_share(state), state.choice.steps if state.choice else ()
    measured = [*(step.kept for step in (*steps, *_other_steps(state))), *([here] if here else [])]
    if len(steps) > 1:  # what was measured is looked at closely
        floor = min([state.keep - AROUND, *(kept - 0.03 for kept in measured)])
    else:
        floor = min([max(min([state.keep - AROUND, *curve.kept]), LEAST_FLOOR), *measured])
    ceiling = max([TOP, *(kept + 0.01 for kept in measured)])
    return Scale(max(int(floor * 20.0 + 1e-9) / 20.0, 0.0), min(ceiling, 1.3))


def _between(limits_w: Sequence[float], values: Sequence[float], at_w: float) -> float | None:
    """Straight between two limits."""
    for (one, low), (other, high) in pairwise(zip(limits_w, values, strict=True)):
        if one <= at_w <= other:
            return low + (at_w - one) / (other - one) * (high - low)
    return None


def _draw_curve(plot: Plot, along: Axis, scale: Scale, curve: Curve) -> None:
    for column in range(plot.columns):
        limit_w = along.watts(column / max(plot.columns - 1, 1))
        low, high = (_between(curve.limits_w, values, limit_w) for values in (curve.low, curve.high))
        if low is not None and high is not None:
            plot.band(column, scale.share(low), scale.share(high))
    last = max(2 * plot.columns - 1, 1)
    kept = [_between(curve.limits_w, curve.kept, along.watts(x / last)) for x in range(last + 1)]
    plot.curve([None if each is None else scale.share(each) for each in kept], "expected")


def _draw_answer(plot: Plot, along: Axis, scale: Scale, state: State) -> None:
    """From the line of what is to be kept down to the limit that keeps it."""
    measured, expected = chosen_w(state), expected_w(state)
    at_w = measured if measured is not None else expected
    if at_w is None:
        return
    column = along.column(at_w)
    for line in range(plot.row(scale.share(state.keep)) + 1, plot.rows):
        plot.symbol(column, line, "┊", "good")
    words = ("keeps", "keeps it") if measured is not None else ("should keep", "expected")
    for told in (f"{watts(at_w)} {words[0]} {percent(state.keep)}", f"{watts(at_w)} {words[1]}", watts(at_w)):
        for start in (column + 2, column - 1 - len(told)):
            if start >= 0 and start + len(told) <= plot.columns:
                plot.write(start, plot.rows - 1, told, "good")
                return


def _draw_joules(plot: Plot, along: Axis, state: State) -> tuple[float, float] | None:
    """On a scale of its own, which is returned: the lower and the upper edge."""
    steps = state.choice.steps if state.choice else ()
    found = [(step.power_limit_w, each) for step in steps if (each := step.point.joules_per_token) is not None]
    if len(found) < 2:
        return None
    low, high = min(each for _, each in found), max(each for _, each in found)
    if high - low < 0.02 * high:
        low, high = 0.98 * low, 1.02 * high
    for limit_w, each in found:
        share = 0.08 + 0.84 * (each - low) / (high - low)
        plot.symbol(along.column(limit_w), plot.row(share), "×", "ceiling")
    return low, high


def _draw_points(plot: Plot, along: Axis, scale: Scale, state: State) -> None:
    for step in _other_steps(state):
        plot.symbol(along.column(step.power_limit_w), plot.row(scale.share(step.kept)), "□", "text")
    for step in state.choice.steps if state.choice else ():
        if step.kept_low is not None and step.kept_high is not None:
            column = along.column(step.power_limit_w)
            low, high = plot.row(scale.share(step.kept_low)), plot.row(scale.share(step.kept_high))
            for line in range(high, low + 1):
                plot.symbol(column, line, "│", "measured")
    chosen, here = chosen_w(state), step_now(state)
    for step in state.choice.steps if state.choice else ():
        sign, ink = _sign(step, chosen, here)
        plot.symbol(along.column(step.power_limit_w), plot.row(scale.share(step.kept)), sign, ink)
    share = now_share(state)
    if here is None and share is not None and state.now is not None:
        plot.symbol(along.column(state.now.power_limit_w), plot.row(scale.share(share)), "○", "strong")


def _other_steps(state: State) -> list[Step]:
    """Those of the phase that is not measured now."""
    return [step for choice in state.choices if choice.phase != state.phase for step in choice.steps]


def _sign(step: Step, chosen: float | None, here: Step | None) -> Span:
    if step is here:
        return "◉", "strong"
    return ("◆", "good") if step.power_limit_w == chosen else ("●", "measured")


def _legend(state: State, width: int, second: tuple[float, float] | None) -> Row:
    measured = bool(state.choice and state.choice.steps)
    other = "prefill" if state.phase == "decode" else "decode"
    about = now_share(state) is not None and step_now(state) is None
    return parts(
        width - 1,
        2,
        [
            (0, [(f" {state.phase}, 100 % at {watts(unit_w(state))}", "text")]),
            (1, [("⠒⠒", "expected"), (" fitted" if state.refitted else " expected", "dim")] if state.curve else []),
            (2, [("●", "measured"), (" measured", "dim")] if measured else []),
            (2, [("□", "text"), (f" {other}", "dim")] if _other_steps(state) else []),
            (4, [("◆", "good"), (" chosen", "dim")] if chosen_w(state) is not None else []),
            (5, [("◉", "strong"), (" now", "dim")] if step_now(state) else []),
            (5, [("○", "strong"), (" now, about", "dim")] if about else []),
            (3, [("×", "ceiling"), (" J/token", "dim")] if second else []),
        ],
    )


def _lines(plot: Plot, scale: Scale, state: State, second: tuple[float, float] | None) -> Iterator[Row]:
    marks = _marks(plot, scale)
    keep = plot.row(scale.share(state.keep))
    for line in range(plot.rows):
        label = marks.get(line, "")
        edge: Span = ("", "text")
        if second and line in {plot.row(0.92), plot.row(0.08)}:
            edge = (f" {joules(second[1] if line == plot.row(0.92) else second[0])}", "ceiling")
        elif line == keep:
            edge = (f" {percent(state.keep)}", "good")
        yield row((right(label, GUTTER - 1), "faint"), ("│" if label else " ", "faint"), *plot.line(line), edge)


def _marks(plot: Plot, scale: Scale) -> dict[int, str]:
    """Words at the left edge: every 5, 10 or 20 %."""
    wide = 100.0 * (scale.ceiling - scale.floor)
    every = next((each for each in (5, 10, 20) if wide / each * 2 <= plot.rows), 25)
    found: dict[int, str] = {}
    for at in range(100, int(100 * scale.floor) - 1, -every):
        found.setdefault(plot.row(scale.share(at / 100.0)), f"{at} %")
    return found
