"""What stands above the chart of a tuning: the limit, the figures of now, and what is being done."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...estimator.snapshot import EngineView
from ..format import address, celsius, duration, exact_rate, joules, megahertz, percent, watts
from ..tune.state import State
from ..tune.table import kept, speed
from ..tune.target import Target
from .painted import Painted
from .power_facts import SAME_W, chosen_w, now_rate, now_share, step_now, unit_w
from .row import BLANK, Row, Span, clip, left, length, parts, row, wrap
from .words import model_name


class Moment(NamedTuple):
    """All that the words are made of."""

    about: Target
    state: State
    stock_w: float | None
    """None where the vendor tells none."""
    wanted_w: float | None
    """The limit that was asked for and is not told yet."""
    live_tps: float | None
    """What the engine makes just now, while nothing is measured yet."""
    trouble: str | None
    """Why nothing can be measured now."""
    generates: bool
    """Whether llmtop makes the load in a sweep."""
    forbidden: bool
    """Whether this user may not set the limit."""
    commands: tuple[tuple[float, str], ...]
    """What sets it elsewhere: by how many watts less, and what to type."""


class Stat(NamedTuple):
    """A value over its name; those of the highest number go first when room is short."""

    value: Span
    name: str
    number: int


class Drawn(Painted):
    """Lines in a space that does not change, so that nothing else moves."""

    def __init__(self, make: Callable[[int, int], Sequence[Row]], *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._make = make

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """Those that fit."""
        return self._make(width, height)[:height]


def why_rows(view: EngineView | None, reason: str, width: int) -> list[Row]:
    """Where nothing can be tuned, why."""
    if not reason:
        return [row(("Reading the power limit …", "dim"))]
    name = f"{view.engine} {address(view.url)}" if view else "this machine"
    return [
        row((f"The power limit of {name} cannot be tuned here", "strong")),
        BLANK,
        *wrap(reason, width, 8, "text"),
        BLANK,
        row(("Esc goes back.", "dim")),
    ]


def head_rows(moment: Moment, width: int) -> list[Row]:
    """What is tuned, the limit, the figures of now, and what is being done."""
    return [_title(moment, width), _limit(moment, width), *_figures(moment, width), _doing_row(moment, width)]


def _title(moment: Moment, width: int) -> Row:
    view = moment.about.engine
    engine: list[Span] = [(f"{view.engine} {address(view.url)}", "text")] if view else [("no engine runs", "warn")]
    load = "llmtop's own load" if moment.generates else "the load that runs"
    return parts(
        width,
        3,
        [
            (0, [(clip(f"Power limit of {moment.about.name}", width), "strong")]),
            (1, engine),
            (2, [(model_name(view), "text")] if view else []),
            (3, [(load, "expected" if moment.generates else "dim")]),
        ],
    )


def _limit(moment: Moment, width: int) -> Row:
    state = moment.state
    stock = f"stock {watts(moment.stock_w)}" if moment.stock_w is not None else ""
    wanted: list[Span] = [(f" → {watts(moment.wanted_w)}", "accent")] if moment.wanted_w is not None else []
    each = " each" if len(moment.about.devices) > 1 else ""
    ending: list[Span] = []
    if state.kept is not None:
        ending = [("✓ stays so after quitting", "good")]
    elif state.goes_back:
        ending = [(f"▲ back to {watts(state.original_w)} when you leave", "warn")]
    elif moment.forbidden:
        ending = [("▲ this user may not set it", "warn")]
    return parts(
        width,
        3,
        [
            (0, [("limit ", "dim"), (watts(state.limit_w), "measured"), *wanted, (each, "dim")]),
            (3, [(stock, "text")] if stock else []),
            (2, [(f"range {state.lowest_w:.0f} to {watts(state.top_w)}", "text")]),
            (1, ending),
            (4, [(f"{watts(state.original_w)} before", "dim")] if state.changed and state.kept is not None else []),
        ],
    )


def _figures(moment: Moment, width: int) -> list[Row]:
    """Two lines: values, and their names below them."""
    shown = _stats(moment)
    while len(shown) > 1 and sum(_wide(stat) for stat in shown) + 2 * (len(shown) - 1) > width:
        shown.remove(max(shown, key=lambda stat: stat.number))
    spare = width - sum(_wide(stat) for stat in shown)
    gap = min(max(spare // max(len(shown) - 1, 1), 2), 6)
    values: list[Span] = []
    names: list[Span] = []
    for at, stat in enumerate(shown):
        size = _wide(stat) + (gap if at < len(shown) - 1 else 0)
        values.append((left(stat.value[0], size), stat.value[1]))
        names.append((left(stat.name, size), "dim"))
    return [row(*values), row(*names)]


def _wide(stat: Stat) -> int:
    return max(length((stat.value,)), len(stat.name))


def _stats(moment: Moment) -> list[Stat]:
    state, now = moment.state, moment.state.now
    rate, step, share = now_rate(state), step_now(state), now_share(state)
    figure = speed(rate) if rate else exact_rate(moment.live_tps if state.phase == "decode" else None)
    keeps = kept(step) if step else f"~{100 * share:.1f} %" if share is not None else "–"
    clock = "SM clock" if moment.about.devices[0].vendor == "NVIDIA" else "clock"
    return [
        Stat((figure, "measured"), f"tok/s {state.phase}", 0),
        Stat((keeps, "strong"), f"of that at {watts(unit_w(state))}", 6 if keeps == "–" else 1),
        Stat((watts(now.power_w if now else None), "strong"), "drawn", 2),
        Stat((joules(now.joules_per_token if now else None), "strong"), "per token", 3),
        Stat((megahertz(now.sm_clock_mhz if now else None), "text"), clock, 5),
        Stat((celsius(now.temperature_c if now else None), "text"), "heat", 6),
        Stat((percent(now.throttled_share if now else None), "text"), "capped", 4),
    ]


def _doing_row(moment: Moment, width: int) -> Row:
    sign, words, ink = doing(moment)
    return parts(width, 3, [(0, [(clip(f"{sign} {words}", width), ink)]), (1, [(_means(moment), "dim")])])


def doing(moment: Moment) -> tuple[str, str, str]:
    """A symbol, words and their ink."""
    state = moment.state
    now = state.now
    seconds = f" for {duration(now.seconds)}" if now and now.seconds >= 1.0 else ""
    if state.progress is not None:
        plan = state.progress
        whole = f"{plan.least}" if plan.least == plan.most else f"{plan.least} to {plan.most}"
        what = {"settling": "settling", "waiting": "waiting for the load"}.get(state.doing, f"measuring{seconds}")
        left_s = f"about {duration(plan.left_s)} left"
        ink = "warn" if state.doing == "waiting" else "strong"
        return "◐", f"sweep: limit {plan.stay} of {whole}, {what}, {left_s}", ink
    over = {"done": "the sweep is done; ", "stopped": "the sweep was stopped; "}.get(state.doing, "")
    if now is None:
        return "○", "waiting for the first readings", "dim"
    if moment.about.engine is None:
        return "○", f"{over}no engine runs: watts only", "warn"
    if moment.trouble:
        return "○", f"{over}{moment.trouble}", "warn"
    if not seconds:
        return "◌", f"{over}settling at {watts(state.limit_w)}", "text"
    return "●", f"{over}measuring {watts(state.limit_w)}{seconds}", "text"


def _means(moment: Moment) -> str:
    """What could be done now, in few words."""
    state = moment.state
    if state.progress is not None:
        return "s stops it and puts the limit back"
    chosen = chosen_w(state)
    if chosen is not None and abs(chosen - state.limit_w) > SAME_W:
        return f"a sets {watts(chosen)}"
    if state.goes_back:
        return "k keeps it, r puts it back"
    return "" if moment.forbidden else "s measures limit after limit"
