"""vLLM, V0 and V1: `GET /metrics`, whose token counters move with every step of the engine.

vllm-metal is a plugin of it and answers alike. The frontend in Rust, `vllm-rs` (rust/src/server and rust/src/metrics),
has the same names without dates, more in `/version`, and less in its list of models.
"""

from itertools import pairwise
from typing import ClassVar, Self

from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import Seen, Way
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, element, model

_CONFIG = "vllm:cache_config_info"
_SLEEP = "vllm:engine_sleep_state"
_DECODED = "vllm:generation_tokens_total"
_DRAFTS = "vllm:spec_decode_num_drafts_total"
_DRAFTED = "vllm:spec_decode_num_draft_tokens_total"
_ACCEPTED = "vllm:spec_decode_num_accepted_tokens_total"
"""Of speculative decoding, V1 (vllm/v1/spec_decode/metrics.py): they move with every step, once for each request that
had a draft, and are absent without speculation. The last two exist in V0 under the same names, where they count
something else: tokens behind a wrong one are accepted there too. V0 does not count drafts, which tells the two apart.
"""

NAMES = Names(
    decode=(Counter(_DECODED),),
    prefill=(
        Counter("vllm:prompt_tokens_by_source_total", (("source", "local_compute"),), "at prefill end"),
        Counter("vllm:prompt_tokens_total", note="incl. cached, at prefill end"),
    ),
    running=("vllm:num_requests_running",),
    waiting=("vllm:num_requests_waiting",),
    kv_usage=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),  # renamed in 0.9; 0-1, whatever they say
    ttft=("vllm:time_to_first_token_seconds",),
    tpot=("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),  # 0.11 has both
    prefix_queries=("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
    prefix_hits=("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
    others=(_CONFIG, _SLEEP, _DRAFTS, _DRAFTED, _ACCEPTED),
)
"""0.8 (V0) to 0.32; ranks of data parallelism are told apart by the label `engine`, which V0 lacks."""


_SERVING = frozenset({("vllm", "serve"), ("vllm-rs", "serve"), ("vllm-rs", "frontend")})
_OWNERS = frozenset({"vllm", "vllm-frontend-rs"})


class _Version(Struct, forbid_unknown_fields=True):
    """The whole of `GET /version`: engines that say more there are others."""

    version: str
    rust_frontend_version: str | None = None


_decode_version = Decoder(_Version).decode


class Vllm:
    """One vLLM server."""

    name: ClassVar[str] = "vLLM"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET /metrics {_DECODED}", "step")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/version", "/v1/models", "/metrics"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES)
        self._known = _identity(seen)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`vllm serve MODEL`, one of its API server modules, or its frontend in Rust."""
        words = [word.rpartition("/")[2] for word in process.command[:6]]
        return bool(_SERVING & set(pairwise(words))) or any(
            word.startswith(("vllm.entrypoints.", "VLLM::APIServer")) for word in words
        )

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By `/version`, then the owner of its models; where they want a key, by the names of its open metrics.

        The command line alone is not enough: its process listens on ports that are not for people, too.
        """
        process = seen.endpoint.process
        version = seen.get("/version")
        if process and cls.claims(process) and version and version.status in {401, 403}:
            return cls(seen, fetch)
        if _version(seen) is None:
            return None
        if (process and cls.claims(process)) or seen.owners & _OWNERS:
            return cls(seen, fetch)
        metrics = seen.get("/metrics") if seen.guarded else None
        return cls(seen, fetch) if metrics and b"\nvllm:" in metrics.body else None

    @property
    def period(self) -> float:
        """One second: an answer takes 6 to 27 ms of the API server."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics.

        Raises:
            FetchError: the engine could not be asked.
        """
        engine, series = self._scrape.read(self._known)
        return engine if series is None else tell(engine, series)


def tell(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say; for whoever has these names, as NIM and Triton do."""
    if engine.decode_tokens is None:
        return structs.replace(engine, problem=f"no {_DECODED} in its metrics: is it run with --disable-log-stats?")
    awake, asleep = series.total(_SLEEP, sleep_state="awake"), series.total(_SLEEP)
    capacity = _capacity(series)
    usage = engine.kv_cache_usage
    drafts = series.total(_DRAFTS)
    return structs.replace(
        engine,
        status="sleeping" if asleep and not awake else engine.status,
        model=engine.model or _labelled(series),
        kv_bytes_per_element=engine.kv_bytes_per_element or element(series.label(_CONFIG, "cache_dtype")),
        context_tokens=usage * capacity if usage is not None and capacity else None,
        drafts=drafts,
        drafted_tokens=None if drafts is None else series.total(_DRAFTED),
        accepted_tokens=None if drafts is None else series.total(_ACCEPTED),
    )


def _identity(seen: Seen) -> Engine:
    """What stays the same until a restart."""
    process = seen.endpoint.process
    served = next((model for model in seen.served if model.parent is None), None)
    flag = seen.endpoint.option

    loaded = served and Loaded(
        name=served.id,
        source="GET /v1/models",
        root=served.root or _model_path(process),
        quantization=flag("--quantization", "-q"),
        dtype=flag("--dtype"),
        context_length=served.max_model_len,
    )
    return Engine(
        engine=Vllm.name,
        url=seen.endpoint.url,
        status="ok",
        version=_version(seen),
        model=model(loaded, seen.endpoint) if loaded else None,
        pid=process.pid if process else None,
        kv_bytes_per_element=element(flag("--kv-cache-dtype")) or element(flag("--dtype")),
        slots=seen.endpoint.number("--max-num-seqs"),
        tensor_parallel=seen.endpoint.number("--tensor-parallel-size", "-tp"),
    )


def _model_path(process: Process | None) -> str | None:
    """The model as its command line names it."""
    if process is None:
        return None
    words = dict(pairwise(process.command))
    following = words.get("serve") or "-"
    return process.option("--model") or (None if following.startswith("-") else following)


def _labelled(series: Series) -> ModelFacts | None:
    name = series.label(_DECODED, "model_name")
    return ModelFacts(name=name, source="GET /metrics") if name else None


def _version(seen: Seen) -> str | None:
    answer = seen.get("/version")
    if answer is None or answer.status != 200:
        return None
    try:
        return _decode_version(answer.body).version
    except DecodeError:
        return None


def _capacity(series: Series) -> float:
    """Tokens that the KV caches of all ranks hold; 0 where it is not told."""
    return sum(_tokens(labels) for labels, _ in series.get(_CONFIG))


def _tokens(labels: dict[str, str]) -> int:
    def number(label: str) -> int:
        text = labels.get(label, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0

    return number("kv_cache_size_tokens") or number("num_gpu_blocks") * number("block_size")
