"""Triton Inference Server: metrics at a port of their own, 8002, while clients ask port 8000.

With TensorRT-LLM inside there is no count of tokens but at the end of a request (`nv_llm_output_token_len`): steps x
requests that generate, both gauges, stand in, and are about right. With vLLM inside, the names are vLLM's. Sources:
Triton documentation, "Metrics"; triton-inference-server/tensorrtllm_backend, README, "Triton Metrics".
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..address import Address
from ..exposition import Series
from ..fetch import Fetch, FetchError
from ..process import Process
from ..sample import Engine
from . import vllm
from .contract import Seen, Way, no_counter
from .listing import Listing, Trouble, named, understood
from .prometheus import Counter, Names
from .scraped import Scrape
from .tgi import Product

_ABOUT = "/v2"
_METRICS = "/metrics"
_REQUESTS = "nv_trt_llm_request_metrics"
_BLOCKS = "nv_trt_llm_kv_cache_block_metrics"
_BATCHER = "nv_trt_llm_inflight_batcher_metrics"
_GENERAL = "nv_trt_llm_general_metrics"
_SOURCE = "iteration_counter x generation_requests, sampled"

NAMES = Names(
    decode=(Counter("nv_llm_output_token_len_sum", note="at request end", liveness="request"),),
    prefill=(Counter("nv_llm_input_token_len_sum", note="at request end", liveness="request"),),
    others=(_REQUESTS, _BLOCKS, _BATCHER, _GENERAL),
).then(vllm.NAMES)


class _About(Struct, frozen=True):
    """`GET /v2`."""

    name: str
    version: str


_decode_about = Decoder(_About).decode


class Triton:
    """One server."""

    name: ClassVar[str] = "Triton"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET :8002{_METRICS} {_SOURCE}", "step")
    PATHS: ClassVar[frozenset[str]] = frozenset({_ABOUT, _METRICS})

    def __init__(self, seen: Seen, fetch: Fetch, about: _About) -> None:
        self._alive = Listing(fetch.only(self.PATHS), _ABOUT, _decode_about, seen.get(_ABOUT))
        self._place = _place(seen)
        self._scrape = Scrape(Fetch(self._place).only(self.PATHS), NAMES, path=_METRICS)
        self._products: dict[str, Product] = {}
        self._known = Engine(
            engine=self.name,
            url=seen.endpoint.url,
            status="ok",
            version=about.version,
        )

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`tritonserver`."""
        return process.program == "tritonserver"

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By `GET /v2`, asked where its command line or port point to it."""
        answer = seen.get(_ABOUT) if seen.suspects(cls) else None
        about = understood(answer, _ABOUT, _decode_about) if answer else None
        return cls(seen, fetch, about) if isinstance(about, _About) and about.name == "triton" else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading. Raises FetchError when the server itself cannot be asked."""
        said = self._alive.read()
        if isinstance(said, Trouble):
            return said.on(self._known)
        try:
            engine, series = self._scrape.read(self._known)
        except FetchError as error:
            return structs.replace(self._known, problem=f"{error}: is it run with --allow-metrics=false?")
        if series is None:
            return engine
        if engine.decode_source and "vllm:" in engine.decode_source:
            name = series.label("vllm:generation_tokens_total", "model")
            return vllm.tell(structs.replace(engine, model=named([name] if name else [], "GET /metrics")), series)
        return self._counted(_told(engine, series), series)

    def _counted(self, engine: Engine, series: Series) -> Engine:
        """With steps x requests that generate, for each model by itself."""
        steps = {
            labels.get("model", ""): value for labels, value in series.get(_GENERAL, general_type="iteration_counter")
        }
        tokens = 0.0
        for name, count in steps.items():
            size = series.total(_BATCHER, inflight_batcher_specific_metric="generation_requests", model=name)
            tokens += self._products.setdefault(name, Product()).add(count, size or 0.0)
        if not steps:
            return structs.replace(engine, problem=no_counter(engine.url))
        source = f"GET {Address.parse(self._place).site}{_METRICS} {_SOURCE}"
        return structs.replace(engine, decode_tokens=tokens, decode_source=source, liveness="step", about=True)


def _told(engine: Engine, series: Series) -> Engine:
    """What labels say and the table of names cannot."""

    def requests(kind: str) -> float | None:
        return series.total(_REQUESTS, request_type=kind)

    def blocks(kind: str) -> float | None:
        return series.total(_BLOCKS, kv_cache_block_type=kind)

    names = sorted({labels["model"] for labels, _ in series.get(_REQUESTS) if "model" in labels})
    running, waiting, most, prefilling = map(requests, ("scheduled", "waiting", "max", "context"))
    used, capacity = blocks("used"), blocks("max")
    per_block = series.mean(_BLOCKS, kv_cache_block_type="tokens_per")
    active = requests("active")
    return structs.replace(
        engine,
        status="idle" if not running and not waiting and active == 0 else "ok",
        model=named(names, "GET /metrics"),
        requests_running=running,
        requests_waiting=waiting,
        prefilling=None if prefilling is None else int(prefilling),
        slots=int(most) if most else None,
        kv_cache_usage=used / capacity if used is not None and capacity else None,
        context_tokens=used * per_block if used is not None and per_block else None,
    )


def _place(seen: Seen) -> str:
    """URL of its metrics."""
    address = Address.parse(seen.endpoint.url)
    port = seen.endpoint.number("--metrics-port") or 8002
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"http://{host}:{port}"
