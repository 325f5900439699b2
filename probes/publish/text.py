"""The counts as Prometheus text.

`gen_ai_server_*` are the names of OpenTelemetry's semantic conventions for generative AI in the spelling of Prometheus
(gen_ai.server.time_to_first_token and .time_per_output_token, in seconds).
"""

import os
from collections.abc import Callable, Iterator

from .counts import Counts, Row, Seconds

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LONGEST_LABEL = 400

_COUNTS: tuple[tuple[str, str, Callable[[Row], int]], ...] = (
    ("generation_tokens", "Tokens generated", lambda row: row.generation_tokens.total),
    ("prompt_tokens", "Prompt tokens read, cached ones among them", lambda row: row.prompt_tokens.total),
    ("cached_tokens", "Prompt tokens that the engine had in its cache", lambda row: row.cached_tokens()),
    ("requests", "Requests that have ended", lambda row: row.requests.total),
)
_DRAFTS: tuple[tuple[str, str, Callable[[Row], int]], ...] = (
    ("drafts", "Guesses of speculative decoding", lambda row: row.drafts.total),
    ("drafted_tokens", "Tokens in those guesses", lambda row: row.drafted_tokens.total),
    ("accepted_tokens", "Tokens in them that were right", lambda row: row.accepted_tokens.total),
)
_GAUGES: tuple[tuple[str, str, Callable[[Row], int]], ...] = (
    ("requests_running", "Requests under way", lambda row: sum(one.streams for one in row.under_way())),
    (
        "prefilling",
        "Those without a token yet",
        lambda row: sum(one.streams for one in row.under_way() if one.prefilling),
    ),
    ("context_tokens", "Tokens in their contexts", lambda row: sum(one.context_tokens for one in row.under_way())),
    (
        "estimated_tokens",
        "Of the generated tokens, those that are estimates",
        lambda row: row.estimated_tokens + row.generation_tokens.owed,
    ),
)
_TIMES: tuple[tuple[str, str, Callable[[Row], Seconds]], ...] = (
    ("llmtop_observed_time_to_first_token_seconds", "From request to first token", lambda row: row.first_token),
    ("llmtop_observed_time_per_output_token_seconds", "Between tokens, by token", lambda row: row.output_token),
    ("gen_ai_server_time_to_first_token_seconds", "From request to first token", lambda row: row.first_token),
    (
        "gen_ai_server_time_per_output_token_seconds",
        "Between tokens, by request",
        lambda row: row.request_output_token,
    ),
)


def exposition(counts: Counts, observer: str) -> bytes:
    """All metrics of this process.

    Args:
        counts: where they are.
        observer: who has counted: "hook", "proxy".
    """
    return "".join(_lines(tuple(counts.rows()), observer)).encode("utf-8", "replace")


def _lines(rows: tuple[Row, ...], observer: str) -> Iterator[str]:
    names = {row: _labels(**row.key._asdict()) for row in rows}
    yield _head("llmtop_observed_info", "gauge", "What is observed, and who does")
    for row in rows:
        labels = _labels(observer=observer, **row.key._asdict(), **row.identity._asdict(), pid=str(os.getpid()))
        yield f"llmtop_observed_info{labels} 1\n"
    counted = {row: _counted(row) for row in rows}
    for number, (name, text, _) in enumerate((*_COUNTS, *_DRAFTS)):
        yield _head(f"llmtop_observed_{name}_total", "counter", text)
        for row in rows:
            if number < len(_COUNTS) or (
                row.drafting and (counted[row][number] or name != "drafts")
            ):  # not all engines tell of guesses
                yield f"llmtop_observed_{name}_total{names[row]} {counted[row][number]}\n"
    for name, text, gauge in _GAUGES:
        yield _head(f"llmtop_observed_{name}", "gauge", text)
        yield from (f"llmtop_observed_{name}{names[row]} {gauge(row)}\n" for row in rows)
    for name, text, seconds in _TIMES:
        yield _head(name, "summary", text)
        for row in rows:
            total, number = seconds(row).both(row.lock)
            yield f"{name}_sum{names[row]} {total!r}\n{name}_count{names[row]} {number}\n"


def _counted(row: Row) -> list[int]:
    """All its counts at one moment: readers take one from the other."""
    with row.lock:
        return [count(row) for _, _, count in (*_COUNTS, *_DRAFTS)]


def _head(name: str, kind: str, text: str) -> str:
    return f"# HELP {name} {text}.\n# TYPE {name} {kind}\n"


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    """On one line, of bounded length, and without what could move a terminal's cursor."""
    plain = "".join(c if c.isprintable() else "?" for c in value[:LONGEST_LABEL])
    return plain.replace("\\", "\\\\").replace('"', '\\"')
