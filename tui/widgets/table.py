"""The table of engines as pure functions: columns, order, filter."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ...estimator.snapshot import EngineView
from .. import format as fmt
from .lead import blind
from .row import Row, Span, left, right, row
from .words import BLIND, STATUS, model_name

Key = Literal["found", "engine", "model", "rate", "share", "load"]
ORDERS: tuple[Key, ...] = ("found", "engine", "model", "rate", "share", "load")

ORDER_WORDS: dict[Key, str] = {
    "found": "as found",
    "engine": "engine",
    "model": "model",
    "rate": "tok/s",
    "share": "share of the ceiling",
    "load": "requests",
}


class Column(NamedTuple):
    """One column: what sorts by it, its heading, its width, and its side ("end": the end of a long text is kept)."""

    key: Key
    heading: str
    width: int
    side: Literal["left", "right", "end"]


def columns(width: int, engines: Sequence[EngineView]) -> list[Column]:
    """The columns that fit into `width` cells; the model takes what the others leave."""
    roomy = width >= 66
    name = min(max((len(view.engine) for view in engines), default=6), 14 if roomy else 9)
    where = min(
        max((len(fmt.address(view.url)) for view in engines), default=6), 21 if width >= 90 else 13 if roomy else 8
    )
    fixed = [
        Column("engine", "engine", max(name, 6), "left"),
        Column("found", "at", max(where, 4), "end"),
        Column("rate", "tok/s", 7, "right"),
        Column("share", "ceiling" if roomy else "ceil.", 8 if roomy else 6, "right"),
        Column("load", "run/wait" if roomy else "reqs", 9 if roomy else 6, "right"),
    ]
    rest = width - 3 - sum(column.width + 1 for column in fixed)
    for spare in ("found", "share", "load"):
        if rest < 9:
            fixed = [column for column in fixed if column.key != spare]
            rest = width - 3 - sum(column.width + 1 for column in fixed)
    at = next(index for index, column in enumerate(fixed) if column.key == "rate")
    fixed.insert(at, Column("model", "model", max(rest - 1, 4), "left"))
    return fixed


def heading(cells: Sequence[Column], order: Key) -> Row:
    """The line above the rows; the column that sorts carries a mark."""
    spans: list[Span] = [("    ", "head")]
    for column in cells:
        marked = column.key == order and order != "found"
        text = column.heading + ("▼" if column.side == "right" else "▲") if marked else column.heading
        placed = right(text, column.width) if column.side == "right" else left(text, column.width)
        spans += [(placed, "accent" if marked else "head"), (" ", "head")]
    return row(*spans)


def column_at(cells: Sequence[Column], x: int) -> Key | None:
    """The column under cell `x` of the heading."""
    start = 4
    for column in cells:
        if start <= x <= start + column.width:
            return column.key
        start += column.width + 1
    return None


def arrange(engines: Sequence[EngineView], order: Key, pattern: str) -> list[EngineView]:
    """The engines that match the filter, in this order."""
    words = pattern.lower().split()
    kept = [view for view in engines if all(word in _haystack(view) for word in words)] if words else list(engines)
    if order == "engine":
        kept.sort(key=lambda view: (view.engine.lower(), view.url))
    elif order == "model":
        kept.sort(key=lambda view: model_name(view).lower())
    elif order == "rate":
        kept.sort(key=lambda view: -(view.decode_tps if view.decode_tps is not None else -1.0))
    elif order == "share":
        kept.sort(key=lambda view: -(share(view) or -1.0))
    elif order == "load":
        kept.sort(key=lambda view: (-(view.requests_running or 0.0), -(view.requests_waiting or 0.0)))
    return kept


def share(view: EngineView) -> float | None:
    """Measured against the ceiling."""
    if view.decode_tps is None or not view.ceiling.decode_tps:
        return None
    return view.decode_tps / view.ceiling.decode_tps


def engine_row(view: EngineView, cells: Sequence[Column], *, cursor: bool, focused: bool) -> Row:
    """One engine. A state other than running stands in words where the rate would."""
    symbol, word, ink = BLIND if blind(view) else STATUS[view.status]
    quiet = view.status != "ok"
    rated = sum(column.width for column in cells if column.key in {"rate", "share"}) + 1
    spans: list[Span] = [("▸" if focused else " ", "accent"), (f" {symbol} ", ink)]
    for column in cells:
        if quiet and column.key == "share":
            continue
        if column.key == "rate" and quiet:
            spans += [(right(word, rated), ink), (" ", "text")]
            continue
        text, shade = _cell(view, column.key, quiet=quiet)
        placed = _place(text, column)
        spans += [(placed, "strong" if focused and column.key == "engine" else shade), (" ", "text")]
    return Row(tuple(spans), "cursor" if cursor else "")


def _place(text: str, column: Column) -> str:
    if column.side == "right":
        return right(text, column.width)
    if column.side == "end" and len(text) > column.width:
        text = "…" + text[1 - column.width :]
    return left(text, column.width)


def _cell(view: EngineView, key: Key, *, quiet: bool) -> Span:
    plain = "dim" if quiet else "text"
    if key == "engine":
        return view.engine, plain
    if key == "found":
        return fmt.address(view.url), "dim"
    if key == "model":
        return model_name(view) or view.problem or fmt.UNKNOWN, plain
    if key == "rate" and view.decode_tps is None and view.last_decode_tps is not None:
        return f"({fmt.rate(view.last_decode_tps)})", "dim"
    if key == "rate":
        unsure = view.about or view.liveness == "request"
        about = "~" if unsure and view.decode_tps is not None else ""
        return f"{about}{fmt.exact_rate(view.decode_tps)}", "measured"
    if key == "share":
        return fmt.percent(share(view)), plain
    if view.requests_running is None and view.requests_waiting is None:
        return fmt.UNKNOWN, plain
    waiting = view.requests_waiting
    ink = "warn" if waiting is not None and waiting >= 1 else plain
    return f"{fmt.count(view.requests_running)}/{fmt.count(waiting)}".replace(" ", ""), ink


def _haystack(view: EngineView) -> str:
    return f"{view.engine} {view.url} {model_name(view)} {STATUS[view.status][1]}".lower()
