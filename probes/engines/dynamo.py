"""NVIDIA Dynamo: `GET /metrics` of its frontend, whose `output_tokens_total` moves with every piece of a stream.

The counter takes the tokens of each answer of a worker as it passes, also where the client waits for the whole
(observe_response of lib/llm/src/http/service/metrics.rs). A request counts as queued until its first token. The
gauges had a `_total` before, and `inflight` is giving way to `active` (documentation, "Metrics"). Its workers, which
may be on other machines, have the metrics of vLLM, SGLang or TensorRT-LLM on ports of their own; they are not read.
"""

from typing import ClassVar, Self

from msgspec import structs

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import Seen, Way
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import listed, model

_P = "dynamo_frontend_"
_DECODED = f"{_P}output_tokens_total"
_PROMPTS = f"{_P}input_sequence_tokens_sum"
_QUEUED = (f"{_P}queued_requests", f"{_P}queued_requests_total")
_CONTEXT = f"{_P}model_context_length"
_SLOTS = f"{_P}model_max_num_seqs"

NAMES = Names(
    decode=(Counter(_DECODED, liveness="token"),),
    prefill=(Counter(_PROMPTS, note="incl. cached, at the first token"),),
    running=(f"{_P}active_requests", f"{_P}inflight_requests", f"{_P}inflight_requests_total"),
    ttft=(f"{_P}time_to_first_token_seconds",),
    tpot=(f"{_P}inter_token_latency_seconds",),
    prefix_queries=(_PROMPTS,),
    prefix_hits=(f"{_P}cached_tokens_sum",),
    others=(*_QUEUED, _CONTEXT, _SLOTS),
)


class Dynamo:
    """One frontend."""

    name: ClassVar[str] = "Dynamo"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET /metrics {_DECODED}", "token")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES)
        served = next(iter(seen.served), None)
        self._known = Engine(
            engine=self.name,
            url=seen.endpoint.url,
            status="ok",
            model=model(listed(served), seen.endpoint) if served else None,
        )

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`python -m dynamo.frontend`; not its workers, routers and planners."""
        words = [word.replace("\\", "/") for word in process.command[:6]]
        return any(word == "dynamo.frontend" or word.endswith("/dynamo/frontend/__main__.py") for word in words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the names of its metrics, asked for where its command line or the owner of its models hints at it."""
        process = seen.endpoint.process
        claimed = process is not None and cls.claims(process)
        if not (claimed or "nvidia" in seen.owners):
            return None
        metrics = seen.get("/metrics")
        return cls(seen, fetch) if metrics and b"dynamo_frontend_" in metrics.body else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        return engine if series is None else _told(engine, series)


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    queued = series.first(_QUEUED)
    slots, context = series.total(_SLOTS), series.mean(_CONTEXT)
    name = series.label(_DECODED, "model")
    facts = engine.model or (ModelFacts(name=name, source="GET /metrics") if name else None)
    if facts and context:
        facts = structs.replace(facts, context_length=int(context))
    return structs.replace(
        engine,
        model=facts,
        prefilling=int(series.total(queued) or 0) if queued else None,
        slots=int(slots) if slots else None,
    )
