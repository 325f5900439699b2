"""SGLang: `GET /metrics` with --enable-metrics, whose `realtime_tokens_total` moves with every step; else its load.

Names of srt/metrics/collector.py and srt/observability/metrics_collector.py, 0.4.0 to 0.5.23.
`generation_tokens_total` moves at the end of a request only; before 0.5.8 there is no other count, and
`gen_throughput`, which the engine takes over its last 40 steps, stands in. `GET /health` generates a token, and
`/get_model_info`, `/get_server_info` and `/get_load` write a warning since 0.5.8: none of them is asked.
"""

from collections.abc import Collection
from itertools import pairwise
from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..exposition import Series, parse
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import Seen, Way
from .listing import Trouble, understood
from .prometheus import Counter, Names
from .scraped import Scrape
from .sglangload import LOADS, SERVER, Load, Settings
from .weights import Loaded, element, model

_LIVE = "sglang:realtime_tokens_total"
_ACCEPTED = "sglang:spec_accept_length"
_GUESSED = "sglang:spec_num_draft_tokens"
_MODEL = "/model_info"
_TWINS = ("pp_rank", "tp_rank", "moe_ep_rank")
"""Ranks that work on the same tokens: with --enable-metrics-for-all-schedulers each of them tells the whole."""

NAMES = Names(
    decode=(
        Counter(_LIVE, (("mode", "decode"),)),
        Counter("sglang:generation_tokens_total", note="at request end", liveness="request"),
    ),
    prefill=(
        Counter(_LIVE, (("mode", "prefill_compute"),), "each batch"),
        Counter("sglang:prompt_tokens_total", note="incl. cached, at request end", liveness="request"),
    ),
    running=("sglang:num_running_reqs",),
    waiting=("sglang:num_queue_reqs",),
    kv_usage=("sglang:token_usage",),
    ttft=("sglang:time_to_first_token_seconds",),
    tpot=("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"),  # 0.4.4 has both
    prefix_queries=("sglang:prompt_tokens_total",),
    prefix_hits=("sglang:cached_tokens_total",),
    decode_rate=("sglang:gen_throughput",),
    context=("sglang:num_used_tokens",),
    others=(_ACCEPTED, _GUESSED),
)
"""Labels of later versions (`engine_type`, `is_streaming`, `cache_source`) split a count, they do not repeat it."""

_SUMMED = frozenset((*NAMES.running, *NAMES.waiting))
"""With --enable-priority-scheduling, the sum has an empty label `priority`, and beside it stand its parts."""


class _Model(Struct, frozen=True):
    model_path: str


_decode_model = Decoder(_Model).decode


class SGLang:
    """One SGLang server."""

    name: ClassVar[str] = "SGLang"
    ports: ClassVar[tuple[int, ...]] = (30000,)
    way: ClassVar[Way] = Way(f'GET /metrics {_LIVE}{{mode="decode"}}', "step", needs="--enable-metrics")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics", "/v1/models", _MODEL, LOADS, SERVER})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        """Asks what it is run with, as far as its command line does not say so."""
        fetch = fetch.only(self.PATHS)
        self._load = Load(fetch)
        self._known = _identity(seen, fetch, self._load)
        self._scrape = Scrape(fetch, NAMES, parse=_once_for_all_ranks)
        self._measured = True
        self._drafts = _Drafts(seen.endpoint.number("--speculative-num-draft-tokens"))

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`python -m sglang.launch_server` or `sglang serve`; not its router, nor the processes that it starts."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        return ("sglang", "serve") in pairwise(words) or any(
            word in {"sglang.launch_server", "launch_server.py"} for word in words
        )

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the owner of its models; where they want a key, by its command line or the names of its open metrics."""
        process = seen.endpoint.process
        if process and _is_router(process):  # it hands on the models of a server behind it
            return None
        if "sglang" in seen.owners:
            return cls(seen, fetch)
        if not (seen.suspects(cls) and seen.guarded):
            return None
        metrics = seen.get("/metrics")
        is_it = (process and cls.claims(process)) or (metrics and b"sglang:" in metrics.body)
        return cls(seen, fetch) if is_it else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics, or of the load where there are none. Raises FetchError."""
        if self._measured:
            engine, series = self._scrape.read(self._known)
            if series is not None:
                return self._drafts.told(_told(engine, series), series)
            self._measured = not (engine.problem or "").endswith("answers 404")
            if self._measured:
                return engine
        return self._load.read(self._known)


class _Drafts:
    """Speculative decoding, of which SGLang tells how many tokens a step brings, and not how many steps there were."""

    def __init__(self, guessed: int | None) -> None:
        self._guessed = guessed
        self._tokens: float | None = None
        self._steps = self._accepted = 0.0

    def told(self, engine: Engine, series: Series) -> Engine:
        """The reading with the drafts behind the tokens that have come since the first one."""
        length = series.mean(_ACCEPTED)
        tokens, before = engine.decode_tokens, self._tokens
        self._tokens = tokens
        if length is None or length < 1 or tokens is None or engine.liveness != "step":  # 0: no speculation, or not yet
            return engine
        if before is not None and tokens > before:
            steps = (tokens - before) / length
            self._steps += steps
            self._accepted += tokens - before - steps
        guessed = series.mean(_GUESSED) or self._guessed  # it counts the token that is sure as well
        return structs.replace(
            engine,
            drafts=self._steps,
            accepted_tokens=self._accepted,
            drafted_tokens=self._steps * (guessed - 1) if guessed else None,
        )


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    name = series.label("sglang:num_running_reqs", "model_name")
    engine = structs.replace(
        engine,
        model=engine.model or (ModelFacts(name=name, source="GET /metrics") if name else None),
        decode_tps=0.0 if engine.decode_tps is not None and engine.requests_running == 0 else engine.decode_tps,
    )
    computed = series.total(_LIVE, mode="prefill_compute")
    if computed is None:
        return engine
    hits = series.total(_LIVE, mode="prefill_cache") or 0.0
    return structs.replace(engine, prefix_queries=computed + hits, prefix_hits=hits)


def _once_for_all_ranks(body: bytes, names: Collection[str]) -> Series:
    """The samples, each once for all ranks that tell the same; and of a sum and its parts by priority, the sum."""
    series = parse(body, names)
    kept: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name in names:
        rows = sorted(series.get(name), key=lambda row: [_rank(row[0], twin) for twin in _TWINS])
        summed = name in _SUMMED and any(labels.get("priority") == "" for labels, _ in rows)
        firsts: dict[frozenset[tuple[str, str]], tuple[dict[str, str], float]] = {}
        for labels, value in rows:
            others = frozenset(pair for pair in labels.items() if pair[0] not in _TWINS)
            if not (summed and labels.get("priority")):
                firsts.setdefault(others, (labels, value))
        kept[name] = list(firsts.values())
    return Series(kept)


def _rank(labels: dict[str, str], label: str) -> int:
    text = labels.get(label, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _is_router(process: Process) -> bool:
    return any("sglang_router" in word or "sglang-router" in word for word in process.command[:6])


def _identity(seen: Seen, fetch: Fetch, load: Load) -> Engine:
    """What stays the same until a restart."""
    process = seen.endpoint.process
    version = load.version()
    settings = (None if process else load.settings()) or Settings()
    served = next((entry for entry in seen.served if entry.parent is None), None)
    flag = seen.endpoint.option

    root = flag("--model-path", "--model")
    if served and root is None:
        info = understood(fetch.get(_MODEL), _MODEL, _decode_model)
        root = served.root if isinstance(info, Trouble) else info.model_path
    name = served.id if served else flag("--served-model-name") or root
    loaded = name and Loaded(
        name=name,
        source="GET /v1/models" if served else "its command line",
        root=root,
        quantization=flag("--quantization") or settings.quantization,
        dtype=flag("--dtype") or settings.dtype,
        context_length=served.max_model_len if served else None,
    )
    return Engine(
        engine=SGLang.name,
        url=seen.endpoint.url,
        status="ok",
        version=version,
        model=model(loaded, seen.endpoint) if loaded else None,
        kv_bytes_per_element=element(flag("--kv-cache-dtype") or settings.kv_cache_dtype)
        or element(flag("--dtype") or settings.dtype),
        slots=seen.endpoint.number("--max-running-requests"),
        tensor_parallel=process.number("--tp", "--tp-size", "--tensor-parallel-size") if process else settings.tp_size,
    )
