"""OpenLLM: `bentoml serve` with vLLM inside, whose metrics may stand beside BentoML's at `GET /metrics`, or not.

BentoML's own count requests, not tokens (documentation, "Metrics"). Where vLLM's are missing, a proxy has to count.
Sources: bentoml/OpenLLM, src/openllm/local.py.
"""

from itertools import pairwise
from typing import ClassVar, Self

from msgspec import structs

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from . import vllm
from .contract import Seen, Way, no_counter
from .scraped import Scrape
from .weights import listed, model

_BENTO = b"bentoml_service_"


class OpenLlm:
    """One bento of it."""

    name: ClassVar[str] = "OpenLLM"
    ports: ClassVar[tuple[int, ...]] = (3000,)
    way: ClassVar[Way] = Way(
        "GET /metrics vllm:generation_tokens_total where it is there", "step", needs="else llmtop proxy before it"
    )
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._scrape = Scrape(fetch.only(self.PATHS), vllm.NAMES)
        served = next((entry for entry in seen.served if entry.parent is None), None)
        self._known = Engine(
            engine=self.name,
            url=seen.endpoint.url,
            status="ok",
            model=model(listed(served), seen.endpoint) if served else None,
        )

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`openllm serve`, or BentoML out of its folder; not any other bento."""
        words = [word.replace("\\", "/") for word in process.command[:6]]
        names = [word.rpartition("/")[2] for word in words]
        if {("openllm", "serve"), ("openllm", "run")} & set(pairwise(names)):
            return True
        return "/.openllm/" in words[0] and any("bentoml" in name for name in names) if words else False

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By its list of models and BentoML's metrics, asked for where its command line or port point to it."""
        process = seen.endpoint.process
        if not seen.suspects(cls) or not (seen.served or seen.guarded):
            return None
        if process is not None and cls.claims(process):
            return cls(seen, fetch)
        metrics = seen.get("/metrics")
        return cls(seen, fetch) if metrics and _BENTO in metrics.body else None

    @property
    def period(self) -> float:
        """One second."""
        return 1.0

    def read(self) -> Engine:
        """One reading of the metrics. Raises FetchError."""
        engine, series = self._scrape.read(self._known)
        if series is None:
            off = (engine.problem or "").endswith("answers 404")
            return structs.replace(self._known, problem=no_counter(engine.url)) if off else engine
        if engine.decode_tokens is None:
            return structs.replace(engine, problem=no_counter(engine.url))
        return vllm.tell(engine, series)
