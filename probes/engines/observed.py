"""What `llmtop proxy` and `llmtop.hook` have counted, on behalf of engines that publish no live count.

Their pages are those of `..publish.text`. A proxy's counts belong to the engine behind it (`upstream`); a script with
the hook in it is the engine itself.
"""

from typing import ClassVar, Self

from msgspec import structs

from ..address import Address
from ..exposition import Series
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import Endpoint, Seen, Way
from .prometheus import Counter, Names
from .scraped import Scrape
from .weights import Loaded, model

_P = "llmtop_observed_"
_INFO = f"{_P}info"
_DECODED = f"{_P}generation_tokens_total"
_PROMPT = f"{_P}prompt_tokens_total"
_CACHED = f"{_P}cached_tokens_total"
_RUNNING = f"{_P}requests_running"
_PREFILLING = f"{_P}prefilling"
_ESTIMATED = f"{_P}estimated_tokens"
_DRAFTS = tuple(f"{_P}{name}_total" for name in ("drafts", "drafted_tokens", "accepted_tokens"))
NAMES = Names(
    decode=(Counter(_DECODED, liveness="token"),),
    running=(_RUNNING,),
    ttft=(f"{_P}time_to_first_token_seconds",),
    tpot=(f"{_P}time_per_output_token_seconds",),
    prefix_queries=(_PROMPT,),
    prefix_hits=(_CACHED,),
    context=(f"{_P}context_tokens",),
    others=(_INFO, _PREFILLING, _ESTIMATED, *_DRAFTS),
)


class Observed:
    """One page of counts."""

    name: ClassVar[str] = "llmtop"
    ports: ClassVar[tuple[int, ...]] = ()
    way: ClassVar[Way] = Way("llmtop proxy, llmtop.hook", "token")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/metrics"})

    def __init__(self, endpoint: Endpoint, fetch: Fetch) -> None:
        self._endpoint = endpoint
        self._scrape = Scrape(fetch.only(self.PATHS), NAMES)
        self._known = Engine(engine=self.name, url=endpoint.url, status="ok")
        self._facts: tuple[Loaded, ModelFacts] | None = None

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Any program may carry the hook: it announces itself by a notice."""
        del process
        return False

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By its Server header."""
        return cls(seen.endpoint, fetch) if seen.server == "llmtop" else None

    @property
    def period(self) -> float:
        """As often as the person likes: a page takes well under a millisecond."""
        return float("inf")

    def read(self) -> Engine:
        """One reading. Raises FetchError."""
        reading, series = self._scrape.read(self._known)
        return reading if series is None else self._tell(reading, series)

    def _tell(self, reading: Engine, series: Series) -> Engine:
        """What the table of names does not say."""
        about = _busiest(series)
        observer = about.get("observer") or "proxy"
        source = (
            f"llmtop.{observer}" if observer == "hook" else f"llmtop proxy {Address.parse(self._endpoint.url).site}"
        )
        drafts, drafted, accepted = (series.total(name) for name in _DRAFTS)
        prompt, cached = series.total(_PROMPT), series.total(_CACHED)
        return structs.replace(
            reading,
            engine=about.get("engine") or "OpenAI-compatible",
            version=about.get("version") or None,
            upstream=about.get("upstream") or None,
            model=self._model(about),
            decode_source=source,
            about=bool(series.total(_ESTIMATED)),
            prefill_tokens=None if prompt is None else max(prompt - (cached or 0.0), 0.0),
            prefill_source=f"{source}, at the first token",
            prefill_liveness="step",
            prefilling=int(series.total(_PREFILLING) or 0),
            drafts=drafts,
            drafted_tokens=drafted,
            accepted_tokens=accepted,
        )

    def _model(self, about: dict[str, str]) -> ModelFacts | None:
        name, path = about.get("model", ""), about.get("path", "")
        if not (name or path):
            return None
        loaded = Loaded(
            name=name or path.rstrip("/").rpartition("/")[2],
            source=f"llmtop {about.get('observer') or 'proxy'}",
            root=path or name,
            quantization=about.get("quantization") or None,
        )
        if self._facts is None or self._facts[0] != loaded:
            self._facts = loaded, model(loaded, self._endpoint)
        return self._facts[1]


def _busiest(series: Series) -> dict[str, str]:
    """Who is told of: of several models that which works, else that which has made most tokens."""
    rows = [labels for labels, _ in series.get(_INFO)]

    def weight(labels: dict[str, str]) -> tuple[float, float]:
        same = {name: labels.get(name, "") for name in ("engine", "model", "upstream")}
        return series.total(_RUNNING, **same) or 0.0, series.total(_DECODED, **same) or 0.0

    return max(rows, key=weight) if rows else {}
