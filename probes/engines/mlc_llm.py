"""MLC LLM: `GET /metrics` in a text of its own, where decode steps are counted by the size of their batch.

Names of cpp/serve/metrics.cc and prometheus_text of python/mlc_llm/serve/engine_base.py, 2024-05 to 2026-07. The sum of
size x steps is every token that was decoded, as each request of a batch gets one. The first step of each size is left
out there, and batches of more than 64 are not counted. Speculative steps are counted by other names that do not tell
their tokens. All other counts move at the end of a request. The request for the metrics waits in the engine's queue.
"""

import os
import re
from collections.abc import Collection
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import ClassVar, Self

from msgspec import structs

from ..exposition import BadExposition, Series
from ..fetch import Fetch
from ..local import is_local
from ..process import Process
from ..sample import Engine
from .contract import Seen, Way, no_counter
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, model

_COUNT = "decode_time_by_batch_size_count"
_MEAN = "decode_time_by_batch_size_mean"
_VERIFIED = "verify_time_by_batch_size_count"
_PREFILLING = "engine_prefill_time_sum"
_DECODING = "engine_decode_time_sum"
_PROMPTS = "prompt_tokens_sum"
_PREFILLED = "prefill_tokens_sum"
_LAST = "last_finished_request_"
_DECODE_LAST = f"{_LAST}decode_tokens_per_s"
_PREFILL_LAST = f"{_LAST}prefill_tokens_per_s"
_QUANTIZED = re.compile(r"\b(q\d+(?:b?f)\d+(?:_\d+)?)\b")
"""As in Llama-3-8B-Instruct-q4f16_1-MLC; told as its files tell it."""
_MOST_LINES = 20_000
_TOO_MANY = "decodes in batches of more than 64, which it does not count: run llmtop proxy before it"

NAMES = Names(
    decode=(Counter("decode_tokens_sum", note="at request end", liveness="request"),),
    prefill=(Counter(_PREFILLED, note="at request end", liveness="request"),),
    others=(_COUNT, _MEAN, _VERIFIED, _PREFILLING, _DECODING, _PROMPTS, _DECODE_LAST, _PREFILL_LAST),
)


class MlcLlm:
    """One `mlc_llm serve`."""

    name: ClassVar[str] = "MLC LLM"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET /metrics batch_size x {_COUNT}", "step")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics", "/v1/models"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES, parse=parse)
        self._known = _identity(seen)
        self._before: Series | None = None
        self._uncounted = 0
        """Readings in a row that show work in steps that are not counted."""

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`mlc_llm serve MODEL`, also as a module."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        return ("mlc_llm", "serve") in pairwise(words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the owner of its models, and its command line where they want a key."""
        process = seen.endpoint.process
        claimed = process is not None and cls.claims(process)
        return cls(seen, fetch) if "mlc-llm" in seen.owners or (claimed and seen.guarded) else None

    @property
    def period(self) -> float:
        """One second: the engine answers between two of its steps."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        before, self._before = self._before, series
        if series is None:
            return engine
        engine = _told(engine, series)
        if before is None or engine.decode_tokens is None or engine.liveness != "step":
            return engine
        self._uncounted = self._uncounted + 1 if _misses(series, before) else 0
        if self._uncounted > 1:  # once may be the first step of a size
            return structs.replace(engine, decode_tokens=None, decode_source=None, liveness=None, problem=_TOO_MANY)
        return _since(engine, series, before)


def parse(body: bytes, names: Collection[str]) -> Series:
    """Reads the samples with these names from lines as `name<TAB>value`, with labels as `{batch_size=4}`.

    Raises:
        BadExposition: it is not that text.
    """
    lines = body.decode("utf-8", "replace").splitlines()
    if len(lines) > _MOST_LINES:
        raise BadExposition("its metrics are too long to be true")
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    is_there = False
    for line in lines:
        key, _, text = line.partition("\t")
        name, brace, inside = key.partition("{")
        is_there = is_there or name == _DECODING
        if name not in names:
            continue
        try:
            value = float(text)
        except ValueError:
            raise BadExposition("its metrics are not those of MLC LLM") from None
        pairs = (pair.partition("=") for pair in inside.removesuffix("}").split(",")) if brace else ()
        if isfinite(value):
            labels = {label.strip(): of.strip().strip('"') for label, _, of in pairs}
            found.setdefault(name, []).append((labels, value))
    if not is_there:
        raise BadExposition("its metrics are not those of MLC LLM")
    return Series(found)


def _told(engine: Engine, series: Series) -> Engine:
    """The live count, and what else the table of names does not say."""
    prompts, prefilled = series.total(_PROMPTS), series.total(_PREFILLED)
    engine = structs.replace(
        engine,
        last_decode_tps=series.total(_DECODE_LAST),
        last_prefill_tps=series.total(_PREFILL_LAST),
        prefix_queries=prompts,
        prefix_hits=max(prompts - prefilled, 0.0) if prompts is not None and prefilled is not None else None,
    )
    if series.total(_VERIFIED):
        return structs.replace(engine, problem=no_counter(engine.url))
    _, tokens = _decoded(series)
    source = f"GET /metrics batch_size x {_COUNT}"
    return structs.replace(engine, decode_tokens=tokens, decode_source=source, liveness="step")


def _since(engine: Engine, series: Series, before: Series) -> Engine:
    """What two readings say: whether it worked in between, and on how many requests at once."""
    if not _grown(series, before, _DECODING) and not _grown(series, before, _PREFILLING):
        return structs.replace(engine, status="idle", requests_running=0.0)
    (steps, tokens), (fewer, less) = _decoded(series), _decoded(before)
    return structs.replace(engine, requests_running=(tokens - less) / (steps - fewer)) if steps > fewer else engine


def _misses(series: Series, before: Series) -> bool:
    """Whether a tenth or more of the decoding between two readings was in steps that are not counted."""
    worked = _grown(series, before, _DECODING)
    return worked > 0 and worked - (_seconds(series) - _seconds(before)) > worked / 10


def _decoded(series: Series) -> tuple[float, float]:
    """Decode steps so far, and the tokens that they brought."""
    rows = [(_size(labels), count) for labels, count in series.get(_COUNT)]
    return sum(count for _, count in rows), sum(size * count for size, count in rows)


def _seconds(series: Series) -> float:
    """Seconds of the decode steps that are counted."""
    means = {_size(labels): mean for labels, mean in series.get(_MEAN)}
    return sum(count * means.get(_size(labels), 0.0) for labels, count in series.get(_COUNT))


def _size(labels: dict[str, str]) -> int:
    text = labels.get("batch_size", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _grown(series: Series, before: Series, name: str) -> float:
    return (series.total(name) or 0.0) - (before.total(name) or 0.0)


def _identity(seen: Seen) -> Engine:
    """What stays the same until a restart. The quantization stands in the name where the files are not here."""
    process = seen.endpoint.process
    served = next(iter(seen.served), None)
    overrides = seen.endpoint.option("--overrides") or ""
    settings = {name: value for name, _, value in (setting.partition("=") for setting in overrides.split(";"))}

    def number(name: str) -> int | None:
        text = settings.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    root = served.id if served else _model_path(process)
    found = root and model(
        Loaded(
            name=root.rstrip("/").rpartition("/")[2],
            source="GET /v1/models" if served else "its command line",
            root=_downloaded(root, seen) or root,
            context_length=number("context_window_size"),
        ),
        seen.endpoint,
    )
    if found and found.quantization is None and (named := _QUANTIZED.search(found.name)):
        found = structs.replace(found, quantization=f"MLC {named[1]}")
    return Engine(
        engine=MlcLlm.name,
        url=seen.endpoint.url,
        status="ok",
        model=found or None,
        slots=number("max_num_sequence"),
        tensor_parallel=number("tensor_parallel_shards"),
    )


def _model_path(process: Process | None) -> str | None:
    """The word behind `serve`."""
    for here, following in pairwise(process.command if process else ()):
        if here == "serve" and not following.startswith("-"):
            return following
    return None


def _downloaded(root: str, seen: Seen) -> str | None:
    """Where the files of `HF://user/name` are on this machine (support/constants.py, download_cache.py)."""
    is_here = seen.endpoint.process is not None or is_local(seen.endpoint.url)
    if not (root.startswith("HF://") and is_here):
        return None
    home = os.environ.get("MLC_LLM_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mlc_llm")
    place = Path(home, "model_weights", "hf", root.removeprefix("HF://"))
    return str(place) if place.is_dir() else None
