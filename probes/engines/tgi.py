"""TGI (text-generation-inference): every answer of a step is an observation of `tgi_request_skipped_tokens`.

That histogram takes, for each request in each step, how many tokens it got beyond the first (send_responses of
backends/v2 and v3, router/src/infer.rs before): its count and its sum together are the tokens generated so far. Routers
before 1.4 lack it, and there steps x batch size stands in. What only the router counts moves at the end of a request.
Names of 0.9.4 to 3.3.7. Metrics appear with their first event, so a fresh server has none.
"""

from typing import ClassVar, Self

import psutil
from msgspec import Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..processes import describe
from ..sample import Engine, Total
from .contract import Seen, Way, no_counter
from .listing import understood
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, element, model

_INFO = "/info"
_SKIPPED = "tgi_request_skipped_tokens"
_STEPS = "tgi_batch_inference_count"
_DONE = "tgi_batch_inference_success"
_FAILED = "tgi_batch_inference_failure"
_DURATION = "tgi_batch_inference_duration"
_SIZE = "tgi_batch_current_size"
_RESERVED = "tgi_batch_current_max_tokens"
_CAPACITY = "tgi_batch_max_total_tokens"
_REQUESTS = "tgi_request_count"
_PROGRAMS = ("text-generation-launcher", "text-generation-router")

NAMES = Names(
    decode=(Counter("tgi_request_generated_tokens_sum", note="at request end", liveness="request"),),
    prefill=(Counter("tgi_request_input_length_sum", note="on arrival", liveness="request"),),
    running=(_SIZE,),
    waiting=("tgi_queue_size",),
    others=(
        *(f"{name}_{part}" for name in (_SKIPPED, _DURATION) for part in ("sum", "count")),
        *(_STEPS, _DONE, _FAILED, _RESERVED, _CAPACITY, _REQUESTS),
    ),
)


class _Info(Struct, frozen=True):
    """`GET /info`; 1.x names no router, gives a length in place of tokens, and the type of the weights."""

    model_id: str
    version: str
    max_total_tokens: int
    max_batch_total_tokens: int | None = None
    max_batch_size: int | None = None
    model_dtype: str | None = None


_decode_info = Decoder(_Info).decode


class Tgi:
    """One TGI router."""

    name: ClassVar[str] = "TGI"
    ports: ClassVar[tuple[int, ...]] = (3000,)
    way: ClassVar[Way] = Way(f"GET /metrics {_SKIPPED} sum + count", "step")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics", "/v1/models", _INFO})

    def __init__(self, seen: Seen, fetch: Fetch, info: _Info) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES)
        process = _launcher(seen.endpoint.process)
        self._known = _identity(seen, info, process)
        self._capacity = info.max_batch_total_tokens or (process and process.number("--max-batch-total-tokens"))
        self._guesses = process.number("--speculate") if process else None
        self._product = Product()

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Its launcher or its router, which have names of their own; not the shards."""
        return process.program.startswith(_PROGRAMS)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By `/info`, asked where its program or port point to it, or a model is its own owner, as only TGI says."""
        if not seen.suspects(cls) and not any(model.owned_by == model.id for model in seen.served):
            return None
        answer = seen.get(_INFO)
        info = understood(answer, _INFO, _decode_info) if answer else None
        return cls(seen, fetch, info) if isinstance(info, _Info) else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        return engine if series is None else self._counted(self._placed(engine, series), series)

    def _placed(self, engine: Engine, series: Series) -> Engine:
        """Whether it works, and how full it is: memory is set aside for whole requests when they begin."""
        prefills = series.total(_STEPS, method="prefill") or 0.0
        ended = (series.total(_DONE, method="prefill") or 0.0) + (series.total(_FAILED, method="prefill") or 0.0)
        busy = engine.requests_running or engine.requests_waiting or prefills > ended
        reserved, capacity = series.total(_RESERVED), series.total(_CAPACITY) or self._capacity
        steps, seconds = (series.total(f"{_DURATION}_{part}", method="decode") for part in ("count", "sum"))
        alone = not series.total(f"{_SKIPPED}_sum")
        return structs.replace(
            engine,
            status="ok" if busy else "idle",
            kv_cache_usage=min(reserved / capacity, 1.0) if reserved is not None and capacity else None,
            tpot=Total(seconds, steps) if steps is not None and seconds is not None and alone else None,
        )

    def _counted(self, engine: Engine, series: Series) -> Engine:
        """Its tokens, from the best that it tells."""
        skipped, answers = series.total(f"{_SKIPPED}_sum"), series.total(f"{_SKIPPED}_count")
        if skipped is not None and answers is not None:
            source = f"GET /metrics {_SKIPPED} sum + count"
            engine = structs.replace(engine, decode_tokens=skipped + answers, decode_source=source, liveness="step")
            if not skipped:
                return engine
            drafted = answers * self._guesses if self._guesses else None
            return structs.replace(engine, drafts=answers, accepted_tokens=skipped, drafted_tokens=drafted)
        steps, size = series.total(_STEPS, method="decode"), series.total(_SIZE)
        if steps is not None and size is not None:
            source = f"GET /metrics {_STEPS} x {_SIZE}, sampled"
            tokens = self._product.add(steps, size)
            return structs.replace(engine, decode_tokens=tokens, decode_source=source, liveness="step", about=True)
        if series.total(_REQUESTS) and steps is None and series.total(_STEPS) is None:
            return structs.replace(engine, problem=no_counter(engine.url))  # TensorRT-LLM or llama.cpp inside
        return engine


class Product:
    """Steps x batch size, summed over readings: the size is that of the moment, so it is about right only."""

    def __init__(self) -> None:
        self._steps: float | None = None
        self._size = 0.0
        self._tokens = 0.0

    def add(self, steps: float, size: float) -> float:
        """Tokens since the first reading. Between two batches the size is 0, and that of before counts."""
        if self._steps is not None and steps < self._steps:
            self._tokens = 0.0
        elif self._steps is not None:
            sizes = [each for each in (self._size, size) if each]
            self._tokens += (steps - self._steps) * (sum(sizes) / len(sizes) if sizes else 1.0)
        self._steps, self._size = steps, size
        return self._tokens


def _launcher(process: Process | None) -> Process | None:
    """The launcher of a router, whose command line says more; or the process itself."""
    if process is None or process.program == _PROGRAMS[0]:
        return process
    try:
        parent = describe(psutil.Process(process.pid).ppid())
    except psutil.Error:
        return process
    return parent if parent and parent.program == _PROGRAMS[0] else process


def _identity(seen: Seen, info: _Info, process: Process | None) -> Engine:
    """What stays the same until a restart."""

    def flag(*names: str) -> str | None:
        return process.option(*names) if process else None

    loaded = Loaded(
        name=info.model_id,
        source=f"GET {_INFO}",
        root=flag("--model-id") or info.model_id,
        quantization=flag("--quantize"),
        dtype=flag("--dtype") or (info.model_dtype or "").removeprefix("torch.") or None,
        context_length=info.max_total_tokens,
    )
    return Engine(
        engine=Tgi.name,
        url=seen.endpoint.url,
        status="ok",
        version=info.version,
        pid=seen.endpoint.process.pid if seen.endpoint.process else None,
        model=model(loaded, seen.endpoint),
        kv_bytes_per_element=element(flag("--kv-cache-dtype")) or element(loaded.dtype),
        slots=info.max_batch_size or (process.number("--max-batch-size") if process else None),
        tensor_parallel=process.number("--num-shard") if process else None,
    )
