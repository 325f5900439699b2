"""A reading as it may be shown: no number that cannot be true, no sign that could move a terminal's cursor.

What an engine says of itself is not under our control, and a proxy or a bug may have written it: a count that is
negative or of no size that a machine can reach is unknown.
"""

from math import isfinite

from msgspec import structs

from ..sample import Engine, ModelFacts, Total

MOST_TPS = 1e7
"""Tokens/s: some hundred times what a rack of today reaches."""
_MOST_TOKENS = 1e15
_MOST_S = 1e12
_MOST_REQUESTS = 1e6
_MOST_BYTES = 1 << 60
_FULL = 1.02
"""A share that is rounded may be a little more than 1."""
_LINE = 300
_LONGEST_PATH = 4096

_MOST = {
    "decode_tokens": _MOST_TOKENS,
    "prefill_tokens": _MOST_TOKENS,
    "decode_tps": MOST_TPS,
    "prefill_tps": MOST_TPS,
    "last_decode_tps": MOST_TPS,
    "last_prefill_tps": MOST_TPS,
    "requests_running": _MOST_REQUESTS,
    "requests_waiting": _MOST_REQUESTS,
    "slots": _MOST_REQUESTS,
    "prefilling": _MOST_REQUESTS,
    "tensor_parallel": _MOST_REQUESTS,
    "threads": _MOST_REQUESTS,
    "kv_cache_usage": _FULL,
    "context_tokens": _MOST_TOKENS,
    "prefix_queries": _MOST_TOKENS,
    "prefix_hits": _MOST_TOKENS,
    "drafts": _MOST_TOKENS,
    "drafted_tokens": _MOST_TOKENS,
    "accepted_tokens": _MOST_TOKENS,
}
_MOST_OF_MODEL = {"context_length": _MOST_TOKENS, "parameters": _MOST_BYTES, "weight_bytes": _MOST_BYTES}
_WORDS = ("engine", "version", "problem", "decode_source", "prefill_source", "via", "upstream")
_WORDS_OF_MODEL = ("name", "source", "architecture", "quantization")


def believable(reading: Engine) -> Engine:
    """The same reading without what cannot be true; the same object where all of it can."""
    wrong: dict[str, object] = {name: None for name, most in _MOST.items() if not _can_be(getattr(reading, name), most)}
    wrong |= {name: None for name in ("ttft", "tpot") if not _can_be_total(getattr(reading, name))}
    changed = dict(wrong)
    if wrong and reading.problem is None:
        changed["problem"] = f"tells what cannot be true: {', '.join(wrong)}"
    changed |= {name: clean for name in _WORDS if (clean := line(text := getattr(reading, name))) != text}
    if (reading.kv_cache_usage or 0.0) > 1.0 and "kv_cache_usage" not in wrong:
        changed["kv_cache_usage"] = 1.0
    model = _model(reading.model) if reading.model else None
    if model is not reading.model:
        changed["model"] = model
    return structs.replace(reading, **changed) if changed else reading


def line(text: str | None, longest: int = _LINE) -> str | None:
    """A text that fits into a line, with "?" for what no terminal should get."""
    if text is None or (len(text) <= longest and text.isprintable()):
        return text
    kept = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(sign if sign.isprintable() else "?" for sign in kept)


def _model(facts: ModelFacts) -> ModelFacts:
    changed: dict[str, object] = {
        name: None for name, most in _MOST_OF_MODEL.items() if not _can_be(getattr(facts, name), most)
    }
    changed |= {name: clean for name in _WORDS_OF_MODEL if (clean := line(text := getattr(facts, name))) != text}
    if (path := line(facts.path, _LONGEST_PATH)) != facts.path:
        changed["path"] = path
    return structs.replace(facts, **changed) if changed else facts


def _can_be(value: float | None, most: float) -> bool:
    return value is None or (0 <= value <= most and isfinite(value))


def _can_be_total(total: Total | None) -> bool:
    return total is None or (_can_be(total.seconds, _MOST_S) and _can_be(total.count, _MOST_TOKENS))
