"""The table of models that a machine can run, as pure functions: columns, order, filter, one line each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from .. import format as fmt
from ..fit.table import place, tokens
from .row import Row, Span, left, right, row

if TYPE_CHECKING:
    from ..fit.rows import Row as Offered

Order = Literal["worth", "speed", "memory", "name"]
ORDERS: tuple[Order, ...] = ("worth", "speed", "memory", "name")
NAME = 34
"""Cells that a name gets at most."""
LEAST_NAME = 26
"""Cells that a name keeps before a column is added."""
SHORT = 7
"""Cells of a place in few letters."""


class Column(NamedTuple):
    """One column: what it is, its heading, its width, whether its texts stand at the right."""

    name: str
    width: int
    right: bool = False
    order: Order | None = None
    """What a click on its heading sorts by."""


MODEL = "model"
FIRST = (
    Column("quant", 7),
    Column("tok/s", 6, right=True, order="speed"),
    Column("range", 11),
    Column("needs", 8, right=True, order="memory"),
)
EXTRA = (
    Column("context", 7, right=True),
    Column("1st token", 9, right=True),
    Column("per token", 9, right=True),
    Column("prefill", 7, right=True),
    Column("size", 11),
    Column("from", 7),
    Column("made for", 24),
)
"""Those that come when there is room, the first first."""


def columns(width: int, rows: Sequence["Offered"]) -> list[Column]:
    """The columns that fit into `width` cells; the name takes what the others leave, up to its own length."""
    first = list(FIRST)
    if rows:
        first[0] = first[0]._replace(width=min(max(5, *(len(each.quant or "") for each in rows)), 10))
    long = Column("runs on", max(SHORT, *(len(place(each)) for each in rows)) if rows else SHORT)
    where = Column("runs on", SHORT)
    longest = min(max((len(each.model) for each in rows), default=LEAST_NAME), NAME)
    keep = min(LEAST_NAME, longest)

    def rest(*more: Column) -> int:
        return width - 2 - sum(column.width + 1 for column in (*first, where, *more)) - 1

    extra: list[Column] = []
    for column in EXTRA:
        if rest(*extra, column) < keep:
            break
        extra.append(column)
        if where is not long and rest(*extra) - long.width + SHORT >= keep:
            where = long
    for spare in ("range", "needs", "quant"):
        if rest() < 16:
            first = [column for column in first if column.name != spare]
    return [Column(MODEL, max(min(rest(*extra), longest), 4), order="name"), *first, where, *extra]


def heading(cells: Sequence[Column], order: Order) -> Row:
    """The line above the rows; the column that sorts carries a mark."""
    spans: list[Span] = [("  ", "head")]
    for column in cells:
        marked = column.order == order
        text = column.name + ("▲" if order == "name" else "▼") if marked else column.name
        spans += [
            (right(text, column.width) if column.right else left(text, column.width), "accent" if marked else "head"),
            (" ", "head"),
        ]
    return row(*spans)


def order_at(cells: Sequence[Column], x: int) -> Order | None:
    """What the heading under cell `x` sorts by."""
    start = 2
    for column in cells:
        if start <= x <= start + column.width:
            return column.order
        start += column.width + 1
    return None


def arrange(rows: Sequence["Offered"], order: Order, pattern: str) -> list["Offered"]:
    """The rows that match the filter, in this order; by worth they are already."""
    words = pattern.lower().split()
    kept = [each for each in rows if all(word in _haystack(each) for word in words)] if words else list(rows)
    if order == "speed":
        kept.sort(key=lambda each: -_rate(each))
    elif order == "memory":
        kept.sort(key=lambda each: each.memory_bytes)
    elif order == "name":
        kept.sort(key=lambda each: each.model.lower())
    return kept


def offered_row(offered: "Offered", cells: Sequence[Column], *, cursor: bool, marked: bool) -> Row:
    """One model in one quantisation; `marked` where the chosen one stands among others."""
    spans: list[Span] = [("* " if marked and offered.chosen else "  ", "accent")]
    for column in cells:
        text, ink = _cell(offered, column)
        spans += [(right(text, column.width) if column.right else left(text, column.width), ink), (" ", "text")]
    return Row(tuple(spans), "cursor" if cursor else "")


def _cell(offered: "Offered", column: Column) -> Span:
    plain = "text" if offered.fits else "dim"
    name = column.name
    if name == MODEL:
        return offered.model, plain
    if name == "tok/s":
        return fmt.exact_rate(_rate(offered) or None), "expected" if offered.fits else "dim"
    if name == "needs":
        return fmt.size(offered.memory_bytes), plain
    if name == "runs on":
        return _place(offered, column.width), plain if offered.fits else "warn"
    return _more(offered, name), "dim"


def _more(offered: "Offered", name: str) -> str:
    band, wait, prefill = offered.decode_tps, offered.ttft_s, offered.prefill_tps
    if name == "quant":
        return offered.quant or fmt.UNKNOWN
    if name == "range":
        return f"({fmt.span(band.low, band.high)})" if band else "reads" if prefill else ""
    if name == "context":
        return tokens(offered.max_context)
    if name == "1st token":
        return fmt.seconds(wait.value if wait else None)
    if name == "per token":
        return fmt.joules(offered.joules_per_token)
    if name == "prefill":
        return fmt.exact_rate(prefill.value if prefill else None)
    if name == "size":
        return parameters(offered)
    return offered.released or "" if name == "from" else ", ".join(offered.tasks)


def parameters(offered: "Offered") -> str:
    """As people write them: "35B/3.0B", the second for those that a token uses."""
    whole, active = offered.parameters, offered.active_parameters
    if not whole:
        return ""
    return f"{_billions(whole)}/{_billions(active)}" if active and active < 0.95 * whole else _billions(whole)


def _billions(count: int) -> str:
    billions = count / 1e9
    return (
        f"{billions:.0f}B" if billions >= 9.95 else f"{billions:.1f}B" if billions >= 0.995 else f"{count / 1e6:.0f}M"
    )


def _place(offered: "Offered", width: int) -> str:
    whole = place(offered)
    if len(whole) <= width:
        return whole
    return "no room" if offered.runs_on is None else f"{offered.gpu_share:.0%} GPU"


def _rate(offered: "Offered") -> float:
    """Of decoding, or of reading where it does that only."""
    band = offered.decode_tps or offered.prefill_tps
    return band.value if band else 0.0


def _haystack(offered: "Offered") -> str:
    words = (offered.model, offered.quant or "", *offered.tasks, offered.store or "", offered.runs_on or "no room")
    return " ".join(words).lower()
