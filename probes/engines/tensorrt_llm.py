"""TensorRT-LLM (`trtllm-serve`): `GET /prometheus/metrics`, whose counters move at the end of a request.

What moves before is gauges of the last step, and they give an estimate: requests that generate x tokens of each / time
of the step. They stay as they are when nothing runs. `GET /metrics` and `GET /perf_metrics` hand out each row once, so
whoever asks takes it from others: neither is asked. Names of tensorrt_llm/metrics/collector.py; 1.1 has five without a
prefix. There are none at all without `return_perf_metrics`, nor gauges without `enable_iter_perf_stats`
(tensorrt_llm/serve/openai_server.py).
"""

import time
from itertools import pairwise
from typing import ClassVar, Self

from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .contract import Seen, Way, no_counter
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, element, model

_METRICS = "/prometheus/metrics"
_SWITCHES = "return_perf_metrics: true and enable_iter_perf_stats: true in its --config"
_GENERATING = "trtllm_num_generation_requests"
_PREFILLING = "trtllm_num_context_requests"
_EACH = "trtllm_avg_decoded_tokens_per_iter"
_STEP = "trtllm_iteration_latency_seconds"
_USED, _PER_BLOCK = "trtllm_kv_cache_used_blocks", "trtllm_kv_cache_tokens_per_block"
_MOST = "trtllm_max_num_active_requests"
_DRAFTED, _ACCEPTED = "trtllm_spec_decode_num_draft_tokens_total", "trtllm_spec_decode_num_accepted_tokens_total"
STALE_S = 5.0
"""Seconds without a step after which nothing runs, whatever the gauges of the last one say."""

NAMES = Names(
    decode=(Counter("trtllm_generation_tokens_total", note="at request end", liveness="request"),),
    prefill=(Counter("trtllm_prompt_tokens_total", note="incl. cached, at request end", liveness="request"),),
    running=("trtllm_num_requests_running",),
    waiting=("trtllm_num_requests_waiting",),
    kv_usage=("trtllm_kv_cache_utilization",),
    ttft=("trtllm_time_to_first_token_seconds", "time_to_first_token_seconds"),
    tpot=("trtllm_time_per_output_token_seconds", "time_per_output_token_seconds"),
    prefix_queries=("trtllm_prompt_tokens_total",),
    prefix_hits=("trtllm_prompt_cached_tokens_total",),
    others=(_GENERATING, _PREFILLING, _EACH, _STEP, _USED, _PER_BLOCK, _MOST, _DRAFTED, _ACCEPTED),
)


class _Version(Struct, frozen=True):
    version: str


_decode_version = Decoder(_Version).decode


class TensorRtLlm:
    """One `trtllm-serve`."""

    name: ClassVar[str] = "TensorRT-LLM"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET {_METRICS} {_GENERATING} / {_STEP}, sampled", "interval", needs=_SWITCHES)
    PATHS: ClassVar[frozenset[str]] = frozenset({_METRICS})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES, path=_METRICS)
        self._known = _identity(seen)
        self._steps: tuple[float | None, ...] = ()
        self._moved = time.monotonic()

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`trtllm-serve MODEL`, also as a module; not its proxy before several of them."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        is_it = any(word in {"trtllm-serve", "tensorrt_llm.commands.serve"} for word in words)
        return is_it and not any(word.startswith(("disaggregated", "mm_embedding")) for word in words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the owner of its models, or its command line where they want a key."""
        claimed = seen.endpoint.process is not None and cls.claims(seen.endpoint.process)
        return cls(seen, fetch) if "tensorrt_llm" in seen.owners or (claimed and seen.guarded) else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        if series is None:
            off = (engine.problem or "").endswith("answers 404")
            return (
                structs.replace(self._known, problem=f"publishes no counts: start it with {_SWITCHES}")
                if off
                else engine
            )
        return self._estimated(_told(engine, series), series)

    def _estimated(self, engine: Engine, series: Series) -> Engine:
        """The reading with the rate that the last step amounts to, or what the want of steps means."""
        requests, step = series.total(_GENERATING), series.mean(_STEP)
        if requests is None or not step:
            missing = engine.requests_running is None
            return structs.replace(engine, problem=no_counter(engine.url)) if missing else engine
        now, steps = time.monotonic(), (step, requests, series.total(_USED), engine.decode_tokens)
        first, moved = not self._steps, steps != self._steps
        self._steps, self._moved = steps, now if moved or first else self._moved
        if now - self._moved >= STALE_S:
            engine = structs.replace(engine, status="idle", requests_running=None, prefilling=None)
        each = max(series.mean(_EACH) or 1.0, 1.0)
        return structs.replace(
            engine,
            decode_tokens=None,
            decode_tps=None if first else requests * each / step if moved else 0.0,
            decode_source=f"GET {_METRICS} {_GENERATING} / {_STEP}, sampled",
            liveness="interval",
            about=True,
        )


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    used, per_block, most = series.total(_USED), series.mean(_PER_BLOCK), series.total(_MOST)
    prefilling = series.total(_PREFILLING)
    return structs.replace(
        engine,
        prefilling=None if prefilling is None else int(prefilling),
        context_tokens=used * per_block if used is not None and per_block else None,
        slots=int(most) if most else engine.slots,
        drafted_tokens=series.total(_DRAFTED),
        accepted_tokens=series.total(_ACCEPTED),
    )


def _identity(seen: Seen) -> Engine:
    """What stays the same until a restart."""
    process = seen.endpoint.process
    served = next(iter(seen.served), None)
    root = _model_path(process) if process else None
    loaded = (served or root) and Loaded(
        name=served.id if served else root or "",
        source="GET /v1/models" if served else "its command line",
        root=root or (served.id if served else None),
        context_length=seen.endpoint.number("--max-seq-len"),
    )
    return Engine(
        engine=TensorRtLlm.name,
        url=seen.endpoint.url,
        status="ok",
        version=_version(seen),
        model=model(loaded, seen.endpoint) if loaded else None,
        kv_bytes_per_element=element(seen.endpoint.option("--kv-cache-dtype")),
        slots=seen.endpoint.number("--max-batch-size"),
        tensor_parallel=seen.endpoint.number("--tp-size", "--tensor-parallel-size"),
    )


def _model_path(process: Process) -> str | None:
    """The word behind `trtllm-serve`, or behind its command `serve`."""
    for here, following in pairwise(process.command):
        behind = here.rpartition("/")[2] in {"trtllm-serve", "tensorrt_llm.commands.serve", "serve"}
        if behind and following != "serve" and not following.startswith("-"):
            return following
    return None


def _version(seen: Seen) -> str | None:
    answer = seen.get("/version")
    try:
        return _decode_version(answer.body).version if answer and answer.status == 200 else None
    except DecodeError:
        return None
