"""The answer: measured, expected, ceiling, watts and joules per token, as one line or three."""

from typing import NamedTuple

from ...estimator.snapshot import EngineView
from .. import format as fmt
from .digits import big
from .lead import asleep, blind, figure, lead, verdict
from .row import Row, Span, left, length, parts, row
from .vitals import session_joules
from .words import BLIND, LIVENESS, STATUS, idle_for


class Stat(NamedTuple):
    """One column of the big headline."""

    value: Span
    label: tuple[Span, ...]
    extra: Span


def line(view: EngineView, trail: tuple[float | None, ...], period: float, width: int) -> Row:
    """The headline in one line; what matters least goes first when room is short."""
    return _resting(view, trail, period, width) if asleep(view) else _working(view, width)


def _working(view: EngineView, width: int) -> Row:
    shown = lead(view)
    band, ceiling = shown.band, shown.ceiling
    unit = " tok/s" if shown.phase == "decode" else " tok/s prefill"
    pieces: list[tuple[int, list[Span]]] = [
        (0, [(figure(shown), "measured"), (unit, "strong")]),
        (0, [("▲ at request end", "warn")] if shown.liveness == "request" and shown.measured is not None else []),
        (1, _last_request(view)),
    ]
    if band is not None:
        ink = verdict(shown)[1]
        pieces += [
            (1, [(fmt.percent(shown.of_expected), ink), (f" of {fmt.exact_rate(band.value)} expected", "expected")]),
            (6, [(f"({fmt.span(band.low, band.high)})", "expected")]),
        ]
    if ceiling is not None:
        share = fmt.percent(shown.of_ceiling)
        pieces.append((2, [(share, "strong"), (f" of {fmt.exact_rate(ceiling)} ceiling", "ceiling")]))
    elif not view.ceiling.reason:
        pieces.append((4, [("ceiling –", "ceiling")]))
    if view.power_w is not None:
        pieces.append((3, [(fmt.watts(view.power_w), "strong")]))
    if view.joules_per_token is not None:
        pieces.append((5, [(fmt.joules(view.joules_per_token), "strong"), ("/token", "dim")]))
    for gap in (3, 2):
        whole = parts(10_000, gap, pieces)
        if whole.width <= width:
            return whole
    return parts(width, 2, pieces)


def _last_request(view: EngineView) -> list[Span]:
    """The speed of the last request, for engines that tell no rate while they work."""
    if view.decode_tps is not None or view.last_decode_tps is None:
        return []
    return [("last request ", "dim"), (fmt.exact_rate(view.last_decode_tps), "strong"), (" tok/s", "dim")]


def _state(view: EngineView) -> tuple[str, str, str]:
    """Symbol, word and ink of what an engine at rest does."""
    if blind(view):
        return BLIND
    return STATUS["idle" if view.status == "ok" else view.status]


def _resting(view: EngineView, trail: tuple[float | None, ...], period: float, width: int) -> Row:
    symbol, word, ink = _state(view)
    pieces: list[tuple[int, list[Span]]] = [(0, [(f"{symbol} {word}", ink if ink != "dim" else "strong")])]
    pieces.append((3, _last_request(view)))
    past = idle_for(trail, period)
    if past is not None and view.status in {"ok", "idle", "unreachable"}:
        pieces.append((3, [(f"for {fmt.duration(past[0])}, last {fmt.exact_rate(past[1])} tok/s", "dim")]))
    if view.status in {"ok", "idle", "sleeping"}:
        band, ceiling = view.expected.decode_tps, view.ceiling.decode_tps
        if band is not None:
            pieces.append((1, [(f"{fmt.exact_rate(band.value)} tok/s expected", "expected")]))
        if ceiling is not None:
            pieces.append((2, [(f"{fmt.exact_rate(ceiling)} ceiling", "ceiling")]))
        if view.power_w is not None:
            pieces.append((4, [(fmt.watts(view.power_w), "strong")]))
        pieces.append((5, session_joules(view)))
    return parts(width, 3, pieces)


def tall(view: EngineView, trail: tuple[float | None, ...], period: float, width: int) -> list[Row]:
    """The headline in three lines: the rate in big digits, then one column for each thing to hold it against."""
    rows: tuple[list[Span], list[Span], list[Span]]
    resting = asleep(view)
    rows = _rest_block(view, trail, period) if resting else _rate_block(view)
    used = max(length(spans) for spans in rows)
    stats = _stats(view, resting=resting)
    room = width - used
    while stats and sum(_stat_width(stat) for stat in stats) + 2 * len(stats) > room:
        stats.pop()
    if not stats:
        return [row(*spans) for spans in rows]
    gap = min(max((room - sum(_stat_width(stat) for stat in stats)) // len(stats), 2), 8)
    for spans in rows:
        spans.append((" " * (used - length(spans)), "text"))
    for stat in stats:
        inner = _stat_width(stat)
        for spans, piece in zip(rows, ((stat.value,), stat.label, (stat.extra,)), strict=True):
            spans.append((" " * gap, "text"))
            spans.extend(piece)
            spans.append((" " * (inner - length(piece)), "text"))
    return [row(*spans) for spans in rows]


def _stat_width(stat: Stat) -> int:
    return max(length((stat.value,)), length(stat.label), length((stat.extra,)))


def _rate_block(view: EngineView) -> tuple[list[Span], list[Span], list[Span]]:
    shown = lead(view)
    digits = big(figure(shown))
    lively, ink = LIVENESS[shown.liveness] if shown.liveness else ("", "dim")
    if shown.liveness == "request":
        lively = f"▲ {lively}"
    elif shown.about:
        lively = "live, about"
    live: Span = (left(lively, max(15, len(lively))), ink)
    beside: tuple[Span, ...] = (("tok/s", "strong"), (shown.phase, "dim"), live)
    top, middle, bottom = (
        [(digit, "measured"), ("  ", "text"), span] for digit, span in zip(digits, beside, strict=True)
    )
    return top, middle, bottom


def _rest_block(
    view: EngineView, trail: tuple[float | None, ...], period: float
) -> tuple[list[Span], list[Span], list[Span]]:
    symbol, word, ink = _state(view)
    past = idle_for(trail, period)
    since = f"for {fmt.duration(past[0])}" if past is not None else "nothing to do" if word == "idle" else ""
    last: list[Span] = _last_request(view)
    if past is not None:
        last = [(f"last {fmt.exact_rate(past[1])} tok/s", "dim")]
    return (
        [(left(f"{symbol} {word}", 22), ink if ink != "dim" else "strong")],
        [(since, "dim")],
        last,
    )


def _stats(view: EngineView, *, resting: bool) -> list[Stat]:
    shown = lead(view)
    band, ceiling = shown.band, shown.ceiling
    stats: list[Stat] = []
    if band is not None:
        word, ink = verdict(shown)
        figure, within = fmt.exact_rate(band.value), fmt.span(band.low, band.high)
        if resting:
            stats.append(Stat((f"{figure} tok/s", "expected"), (("expected", "expected"),), (within, "dim")))
        else:
            label: tuple[Span, ...] = (("of ", "dim"), (f"{figure} expected", "expected"))
            stats.append(Stat((fmt.percent(shown.of_expected), ink), label, (f"{word} {within}", "dim")))
    if ceiling is not None:
        figure, limit = fmt.exact_rate(ceiling), (shown.limit, "dim")
        if resting:
            stats.append(Stat((f"{figure} tok/s", "ceiling"), (("ceiling", "ceiling"),), limit))
        else:
            label = (("of the ", "dim"), (f"{figure} ceiling", "ceiling"))
            stats.append(Stat((fmt.percent(shown.of_ceiling), "strong"), label, limit))
    elif view.status in {"ok", "idle"} and not view.ceiling.reason:
        stats.append(Stat(("–", "strong"), (("ceiling unknown", "ceiling"),), ("", "dim")))
    if view.power_w is not None:
        stats.append(Stat((fmt.watts(view.power_w), "strong"), (("power", "dim"),), ("", "dim")))
    cost = view.session.joules_per_token
    if resting and cost is not None:
        made = f"{fmt.count(view.session.tokens)} tokens"
        stats.append(Stat((fmt.joules(cost), "strong"), (("per token, session", "dim"),), (made, "dim")))
    if view.joules_per_token is not None and not resting:
        stats.append(Stat((fmt.joules(view.joules_per_token), "strong"), (("per token", "dim"),), ("", "dim")))
    return stats
