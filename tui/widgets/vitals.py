"""The lines under the chart: prefill, latencies, requests, KV cache."""

from ...estimator.snapshot import EngineView
from .. import format as fmt
from .bar import split_bar
from .row import Row, Span, parts

Piece = tuple[int, list[Span]]


def vitals(view: EngineView, width: int, lines: int) -> list[Row]:
    """What else is known of the engine, in one or two lines; unknown things take no room."""
    speed, load = _speed(view), _load(view)
    if lines >= 2:
        return [parts(width, 4, speed), parts(width, 4, load)]
    gap = 3 if width >= 100 else 2
    return [parts(width, gap, speed + load)]


def session_joules(view: EngineView) -> list[Span]:
    """Joules per token since it is watched."""
    cost = view.session.joules_per_token
    return [*_pair("session", fmt.joules(cost)), ("/token", "dim")] if cost is not None else []


def session_tokens(view: EngineView) -> list[Span]:
    """Tokens since it is watched."""
    made = view.session.tokens
    return _pair("made", f"{fmt.count(made)} tokens") if made else []


def _pair(label: str, value: str, ink: str = "text") -> list[Span]:
    return [(f"{label} ", "dim"), (value, ink)]


def _speed(view: EngineView) -> list[Piece]:
    pieces: list[Piece] = []
    if view.prefill_tps is not None:
        prefill = _pair("prefill", fmt.rate(view.prefill_tps))
        prefill.append((" tok/s", "dim"))
        pieces.append((0, prefill))
        if view.prefill_liveness == "request":
            prefill.append((" at request end", "dim"))
        band = view.expected.prefill_tps
        if band is not None:
            pieces.append((8, _pair("of", f"{fmt.rate(band.value)} expected", "expected")))
        if view.ceiling.prefill_tps is not None:
            pieces.append((9, [(f"{fmt.rate(view.ceiling.prefill_tps)} ceiling", "ceiling")]))
    if view.ttft_s is not None:
        pieces.append((3, _pair("TTFT", fmt.seconds(view.ttft_s))))
    if view.tpot_s is not None:
        pieces.append((4, _pair("TPOT", fmt.seconds(view.tpot_s))))
    if view.bandwidth_utilization is not None:
        busy = _pair("memory busy", fmt.percent(view.bandwidth_utilization))
        busy.append((" measured", "dim"))
        pieces.append((10, [*_pair("MBU", fmt.percent(view.mbu)), (" · ", "dim"), *busy] if view.mbu else busy))
    return pieces


def _load(view: EngineView) -> list[Piece]:
    pieces: list[Piece] = []
    if view.requests_running is not None:
        running = _pair("running", fmt.count(view.requests_running))
        if view.slots:
            running.append((f" of {view.slots}", "dim"))
        pieces.append((1, running))
    if view.requests_waiting is not None:
        ink = "warn" if view.requests_waiting >= 1 else "text"
        pieces.append((2, _pair("waiting", fmt.count(view.requests_waiting), ink)))
    if view.kv_cache_usage is not None:
        filled, empty = split_bar(view.kv_cache_usage, 8)
        ink = "warn" if view.kv_cache_usage >= 0.9 else "meter"
        pieces.append(
            (
                5,
                [
                    ("KV ", "dim"),
                    (filled, f"{ink}-bar"),
                    (empty, "track"),
                    (f" {fmt.percent(view.kv_cache_usage)}", "text"),
                ],
            )
        )
    if view.prefix_hit_rate is not None:
        pieces.append((7, _pair("prefix hits", fmt.percent(view.prefix_hit_rate))))
    if view.draft_acceptance is not None:
        pieces.append((7, _pair("drafts right", fmt.percent(view.draft_acceptance))))
    if view.context_tokens is not None:
        context = _pair("context", fmt.count(view.context_tokens))
        pieces.append((6, context))
    pieces += [(11, session_tokens(view)), (10, session_joules(view))]
    return pieces
