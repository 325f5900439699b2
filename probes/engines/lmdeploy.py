"""LMDeploy, with TurboMind or PyTorch inside: `GET /metrics`, whose counters move with every output of the engine.

Names of lmdeploy/metrics/loggers.py, 0.9.2 (2025-07) to 0.16. The metrics are on since 0.11 (2025-11) unless
--disable-metrics is given, and off before unless --enable-metrics is. TurboMind hands out nothing of a request that is
not streamed before its end, so such a request counts there at once. All gauges are set every 10 s only.
"""

from itertools import pairwise
from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import Seen, Way
from .listing import Listing, Trouble
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, element, model

_DECODED = "lmdeploy:generation_tokens_total"
_DRAFTS = "lmdeploy:spec_decode_num_drafts_total"
_DRAFTED = "lmdeploy:spec_decode_num_draft_tokens_total"
_ACCEPTED = "lmdeploy:spec_decode_num_accepted_tokens_total"
_SLEEP = "/is_sleeping"
_KV_BYTES = {"4": 0.5, "int4": 0.5, "8": 1.0, "int8": 1.0, "16": 1.0, "fp8": 1.0, "17": 1.0, "fp8_e5m2": 1.0}
"""Bytes of a KV cache element by --quant-policy (lmdeploy/cli/utils.py), without the scales."""
_NO_METRICS = "publishes no metrics: start it without --disable-metrics (before 0.11: with --enable-metrics)"

NAMES = Names(
    decode=(Counter(_DECODED),),
    prefill=(Counter("lmdeploy:prompt_tokens_total", note="incl. cached, at prefill end"),),
    running=("lmdeploy:num_requests_running",),
    waiting=("lmdeploy:num_requests_waiting",),
    kv_usage=("lmdeploy:gpu_cache_usage_perc",),
    ttft=("lmdeploy:time_to_first_token_seconds",),
    tpot=("lmdeploy:time_per_output_token_seconds",),
    prefix_queries=("lmdeploy:request_prompt_tokens_sum",),  # both at the end of a request; the live prompts run ahead
    prefix_hits=("lmdeploy:cached_tokens_total",),
    others=(_DRAFTS, _DRAFTED, _ACCEPTED),
)


class _Sleeping(Struct, frozen=True):
    is_sleeping: bool


_decode_sleeping = Decoder(_Sleeping).decode


class LMDeploy:
    """One LMDeploy API server."""

    name: ClassVar[str] = "LMDeploy"
    ports: ClassVar[tuple[int, ...]] = (23333,)
    way: ClassVar[Way] = Way(f"GET /metrics {_DECODED}", "step", needs="--enable-metrics before 0.11")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics", "/v1/models", _SLEEP})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        fetch = fetch.only(self.PATHS)
        self._scrape = Scrape(fetch, NAMES)
        self._sleep = Listing(fetch, _SLEEP, _decode_sleeping)
        self._known = _identity(seen)
        self._decoded: float | None = None

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`lmdeploy serve api_server MODEL`, also as a module; not its proxy."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        return any(word in {"lmdeploy", "lmdeploy.cli"} for word in words) and ("serve", "api_server") in pairwise(
            words
        )

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the owner of its models, and its command line where they want a key. Its proxy has the same owner."""
        process = seen.endpoint.process
        claimed = process is not None and cls.claims(process)
        if process and not claimed and ("serve", "proxy") in pairwise(process.command):
            return None
        return cls(seen, fetch) if "lmdeploy" in seen.owners or (claimed and seen.guarded) else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        if series is None:
            off = (engine.problem or "").endswith("answers 404")
            return structs.replace(self._known, problem=_NO_METRICS) if off else engine
        return self._rested(_told(engine, series))

    def _rested(self, engine: Engine) -> Engine:
        """The reading with what its counter knows better than gauges that are up to 10 s old."""
        moved = None not in {engine.decode_tokens, self._decoded} and engine.decode_tokens != self._decoded
        self._decoded = engine.decode_tokens
        if engine.requests_running != 0:
            return engine
        if moved:
            return structs.replace(engine, status="ok", requests_running=None)
        said = self._sleep.read()
        asleep = not isinstance(said, Trouble) and said.is_sleeping
        return structs.replace(engine, status="sleeping") if asleep else engine


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    name = series.label(_DECODED, "model_name")
    drafts = series.total(_DRAFTS) or None  # 0: it does not speculate
    return structs.replace(
        engine,
        model=engine.model or (ModelFacts(name=name, source="GET /metrics") if name else None),
        drafts=drafts,
        drafted_tokens=series.total(_DRAFTED) if drafts else None,
        accepted_tokens=series.total(_ACCEPTED) if drafts else None,
    )


def _identity(seen: Seen) -> Engine:
    """What stays the same until a restart."""
    process = seen.endpoint.process
    served = next(iter(seen.served), None)
    root = _model_path(process) if process else None
    flag = seen.endpoint.option

    stored = flag("--model-format")
    loaded = (served or root) and Loaded(
        name=served.id if served else flag("--model-name") or root or "",
        source="GET /v1/models" if served else "its command line",
        root=root or (served.root if served else None),
        quantization=None if stored == "hf" else stored,
        dtype=flag("--dtype"),
        context_length=seen.endpoint.number("--session-len"),
    )
    return Engine(
        engine=LMDeploy.name,
        url=seen.endpoint.url,
        status="ok",
        model=model(loaded, seen.endpoint) if loaded else None,
        kv_bytes_per_element=_KV_BYTES.get(flag("--quant-policy") or "") or element(flag("--dtype")),
        slots=seen.endpoint.number("--max-batch-size"),
        tensor_parallel=seen.endpoint.number("--tp"),
    )


def _model_path(process: Process) -> str | None:
    """The word behind `api_server`."""
    for here, following in pairwise(process.command):
        if here == "api_server" and not following.startswith("-"):
            return following
    return None
