"""NVIDIA NIM for LLMs: `GET /v1/metrics`, by the names of vLLM without a prefix, whatever engine is inside.

Its counters of tokens move with every step ("per iteration": documentation, "Observability"). NIM 2 hands on the
metrics of vLLM or SGLang under their own names, behind nginx ("API Reference"). The first versions have the path
`/metrics`. Only NIM has `/v1/metadata`.
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from . import sglang, vllm
from .contract import Seen, Way
from .listing import Trouble, understood
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, model

_METADATA = "/v1/metadata"
_METRICS = "/v1/metrics"
_OLD_METRICS = "/metrics"
_DECODED = "generation_tokens_total"
_SLOTS = "num_request_max"
_CLAIMED = ("vllm_nvext.", "nim_llm", "nimlib")

NAMES = (
    Names(
        decode=(Counter(_DECODED),),
        prefill=(Counter("prompt_tokens_total", note="incl. cached, at prefill end"),),
        running=("num_requests_running",),
        waiting=("num_requests_waiting",),
        kv_usage=("gpu_cache_usage_perc",),
        ttft=("time_to_first_token_seconds",),
        tpot=("time_per_output_token_seconds",),
        others=(_SLOTS,),
    )
    .then(vllm.NAMES)
    .then(sglang.NAMES)
)


class _Metadata(Struct, frozen=True, rename="camel"):
    """The fields by which `/v1/metadata` is NIM's."""

    version: str
    model_info: list[dict[str, object]]


_decode_metadata = Decoder(_Metadata).decode


class Nim:
    """One NIM container."""

    name: ClassVar[str] = "NIM"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(f"GET {_METRICS} {_DECODED}", "step")
    PATHS: ClassVar[frozenset[str]] = frozenset({_METADATA, _METRICS, _OLD_METRICS})

    def __init__(self, seen: Seen, fetch: Fetch, version: str | None) -> None:
        fetch = fetch.only(self.PATHS)
        self._scrape = Scrape(fetch, NAMES, path=_METRICS)
        self._old: Scrape | None = Scrape(fetch, NAMES, path=_OLD_METRICS)
        served = next((entry for entry in seen.served if entry.parent is None), None)
        loaded = served and Loaded(
            name=served.id, source="GET /v1/models", root=served.root, context_length=served.max_model_len
        )
        self._known = Engine(
            engine=self.name,
            url=seen.endpoint.url,
            status="ok",
            version=version,
            model=model(loaded, seen.endpoint) if loaded else None,
        )

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Its server modules, or a program that lies in its folder."""
        return any(word.startswith((*_CLAIMED, "/opt/nim/")) for word in process.command[:6])

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By `/v1/metadata`, asked where its command line, nginx or the owner of its models hints at it."""
        process = seen.endpoint.process
        claimed = process is not None and cls.claims(process)
        if not (claimed or _hinted(seen)):
            return None
        answer = seen.get(_METADATA)
        said = understood(answer, _METADATA, _decode_metadata) if answer else None
        if isinstance(said, _Metadata):
            return cls(seen, fetch, said.version)
        wants_key = isinstance(said, Trouble) and said.status == "unauthorized"
        return cls(seen, fetch, None) if claimed and (seen.served or wants_key) else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        if series is None and self._old and (engine.problem or "").endswith("answers 404"):
            self._scrape, self._old = self._old, None
            engine, series = self._scrape.read(self._known)
        if series is None:
            return engine
        self._old = None
        return _told(engine, series)


def _hinted(seen: Seen) -> bool:
    """Whether it may be one by what everybody is asked: the owner of its models, and nginx or no `/version`."""
    if (seen.server or "").startswith("nginx"):
        return bool(seen.owners & {"vllm", "sglang"})
    version = seen.get("/version")
    unlike = seen.port in Nim.ports and version is not None and version.status == 404
    return unlike and bool(seen.owners & {"vllm", "system"})


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    inside = next((name for name in (_DECODED, "vllm:generation_tokens_total") if series.get(name)), "")
    if inside.startswith("vllm:"):
        return vllm.tell(engine, series)
    slots, name = series.total(_SLOTS), series.label(_DECODED, "model_name")
    return structs.replace(
        engine,
        model=engine.model or (ModelFacts(name=name, source="GET /v1/metrics") if name else None),
        slots=int(slots) if slots else None,
    )
