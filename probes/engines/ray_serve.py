"""Ray Serve LLM: clients ask a proxy, and the counts stand at the metrics exporter of each Ray node, every 10 s anew.

Names are those of vLLM behind `ray_vllm_` (`ray_vllm:` in older pairs), or of SGLang behind `ray_sglang_`
(vllm/v1/metrics/ray_wrappers.py 0.29; ray 2.60). Each replica has a series of its own. The sums of Ray's histograms are
made of bucket middles: 20 tokens came out as 15.0 (measured with 2.60), so no times are read from them. An exporter
answers any path alike.
"""

import time
from pathlib import Path
from typing import ClassVar, Self

from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..exposition import Series
from ..fetch import Fetch
from ..local import is_local
from ..process import Process
from ..processes import listeners
from ..sample import Engine, ModelFacts
from .contract import UNAUTHORIZED, Endpoint, Seen, Way
from .listing import Listing, Trouble, named
from .prometheus import Counter, Names
from .ray_exporters import AGAIN_S, FOLDER, METRICS, Exporters, places, siblings, workers
from .weights import Loaded, model

_ALIVE = "/-/healthz"
"""Answered by the proxy itself, and not written to its log."""
_PROXIES = ("ray::ProxyActor", "ray::HTTPProxyActor")
_AGENT = "ray::DashboardAgent"
_NOTHING_YET = "no counts yet: they come with the first request (in older Ray with log_engine_metrics)"
_ELSEWHERE = "its counts stand at Ray's exporter: give --url http://NODE:PORT of ray start --metrics-export-port too"


def _spelt(*names: str) -> tuple[str, ...]:
    """Names of vLLM as Ray spells them now, and before."""
    return tuple(f"ray_vllm{mark}{name}" for name in names for mark in "_:")


_DRAFTS = _spelt("spec_decode_num_drafts_total")
_DRAFTED = _spelt("spec_decode_num_draft_tokens_total")
_ACCEPTED = _spelt("spec_decode_num_accepted_tokens_total")
_COMPUTED = (("source", "local_compute"),)
_DECODED = _spelt("generation_tokens_total")
_LIVE = "ray_sglang_realtime_tokens_total"
NAMES = Names(
    decode=(
        *(Counter(name, liveness="interval") for name in _DECODED),
        Counter(_LIVE, (("mode", "decode"),), liveness="interval"),
        Counter("ray_sglang_generation_tokens_total", note="at request end", liveness="request"),
    ),
    prefill=(
        *(Counter(name, _COMPUTED, liveness="interval") for name in _spelt("prompt_tokens_by_source_total")),
        *(Counter(name, note="incl. cached", liveness="interval") for name in _spelt("prompt_tokens_total")),
        Counter(_LIVE, (("mode", "prefill_compute"),), liveness="interval"),
        Counter("ray_sglang_prompt_tokens_total", note="incl. cached, at request end", liveness="request"),
    ),
    running=(*_spelt("num_requests_running"), "ray_sglang_num_running_reqs"),
    waiting=(*_spelt("num_requests_waiting"), "ray_sglang_num_queue_reqs"),
    kv_usage=(*_spelt("kv_cache_usage_perc", "gpu_cache_usage_perc"), "ray_sglang_token_usage"),
    prefix_queries=_spelt("prefix_cache_queries_total", "gpu_prefix_cache_queries_total"),
    prefix_hits=_spelt("prefix_cache_hits_total", "gpu_prefix_cache_hits_total"),
    decode_rate=("ray_sglang_gen_throughput",),
    others=(*_DRAFTS, *_DRAFTED, *_ACCEPTED),
)
_COUNTS = tuple(counter.name for counter in NAMES.decode)


class _About(Struct, frozen=True):
    model_id: str
    max_request_context_length: int | None = None


class _Entry(Struct, frozen=True):
    id: str
    metadata: _About | None = None
    rayllm_metadata: _About | None = None
    """Its older name."""

    @property
    def about(self) -> _About | None:
        """What only Ray says of a model."""
        return self.metadata or self.rayllm_metadata


class _List(Struct, frozen=True):
    data: tuple[_Entry, ...] = ()


_decode_list = Decoder(_List).decode


class RayServe:
    """The models behind one proxy of Ray Serve, or those of one exporter where a person names that."""

    name: ClassVar[str] = "Ray Serve"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    way: ClassVar[Way] = Way(
        f"GET /metrics {_DECODED[0]} of Ray's exporters", "interval", needs="log_engine_metrics in older Ray"
    )
    PATHS: ClassVar[frozenset[str]] = frozenset({_ALIVE, METRICS})
    folder: ClassVar[Path] = FOLDER
    """Where Ray keeps its files, unless its command line names another place."""

    def __init__(self, seen: Seen, fetch: Fetch, entries: tuple[_Entry, ...] | None) -> None:
        """`entries` are the models of an application; None for an exporter."""
        endpoint = self._endpoint = seen.endpoint
        process = self._process = endpoint.process
        self._is_exporter = entries is None
        self._alive = Listing(fetch.only(self.PATHS), _ALIVE, bytes)
        self._exporters = Exporters(self._places, NAMES.wanted, _COUNTS)
        self._looked = float("-inf")
        self._pids: tuple[int, ...] = ()
        self._known = Engine(
            engine=self.name,
            url=endpoint.url,
            status="ok",
            upstream=_application(process) if entries is None and process else None,
            model=_model(entries or (), endpoint),
        )
        self._is_guarded = entries == ()

    @classmethod
    def claims(cls, process: Process) -> bool:
        """The proxy of an application by the title of its process; the exporter is no engine of its own."""
        return process.program.startswith(tuple(title.lower() for title in _PROXIES))

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By what only Ray says of its models; an exporter by its server, only where a person names it."""
        process = seen.endpoint.process
        if seen.endpoint.explicit and (process is None or process.command[:1] == (_AGENT,)):
            answer = seen.get("/version")
            if answer and (answer.server or "").startswith("WSGIServer") and b"\nray_" in answer.body:
                return cls(seen, fetch, None)
        claimed = process is not None and cls.claims(process)
        if not claimed and "organization-owner" not in seen.owners:
            return None
        entries = _entries(seen)
        if entries and (claimed or any(entry.about for entry in entries)):
            return cls(seen, fetch, entries)
        return cls(seen, fetch, ()) if claimed and seen.guarded else None

    @property
    def period(self) -> float:
        """One second: the exporters are asked when something may have changed."""
        return 1.0

    def read(self) -> Engine:
        """One reading. Raises FetchError when the application cannot be asked."""
        said = b"" if self._is_exporter else self._alive.read()
        if isinstance(said, Trouble):
            return said.on(self._known)
        series = self._exporters.read()
        sites = self._exporters.told
        where = f"{sites[0]}{METRICS}" if len(sites) == 1 else f"{METRICS} of {len(sites)} nodes"
        engine = structs.replace(_told(NAMES.fill(self._known, series, where), series), pids=self._workers())
        if sites:
            return engine
        if self._is_guarded:
            return structs.replace(engine, status="unauthorized", problem=UNAUTHORIZED)
        problem = self._exporters.problem or _NOTHING_YET
        if not (self._is_exporter or self._is_here):
            problem = _ELSEWHERE
        return structs.replace(engine, problem=problem)

    @property
    def _is_here(self) -> bool:
        return self._process is not None or is_local(self._endpoint.url)

    def _places(self) -> tuple[str, ...]:
        if self._is_exporter:
            return (self._endpoint.url,)
        return places(self._process, self.folder) if self._is_here else ()

    def _workers(self) -> tuple[int, ...]:
        now = time.monotonic()
        if self._process is not None and now - self._looked >= AGAIN_S:
            self._looked, self._pids = now, workers(self._process)
        return self._pids


def _told(engine: Engine, series: Series) -> Engine:
    """What the table of names does not say."""
    name = series.first(_COUNTS)
    called = series.label(name, "model_name") if name else None
    drafts = _total(series, _DRAFTS)
    return structs.replace(
        engine,
        version=series.label(name, "Version") if name else None,
        model=engine.model or named([called] if called else [], "Ray's metrics"),
        drafts=drafts,
        drafted_tokens=None if drafts is None else _total(series, _DRAFTED),
        accepted_tokens=None if drafts is None else _total(series, _ACCEPTED),
    )


def _total(series: Series, names: tuple[str, ...]) -> float | None:
    name = series.first(names)
    return series.total(name) if name else None


def _entries(seen: Seen) -> tuple[_Entry, ...]:
    answer = seen.get("/v1/models")
    if answer is None or answer.status != 200:
        return ()
    try:
        return _decode_list(answer.body).data
    except DecodeError:
        return ()


def _model(entries: tuple[_Entry, ...], endpoint: Endpoint) -> ModelFacts | None:
    """The only model; of several the names. Ray does not say where the weights lie: its name may be that of the hub."""
    if len(entries) != 1:
        return named([entry.id for entry in entries], "GET /v1/models")
    about = entries[0].about
    context = about.max_request_context_length if about else None
    return model(
        Loaded(name=entries[0].id, source="GET /v1/models", root=entries[0].id, context_length=context), endpoint
    )


def _application(agent: Process) -> str | None:
    """Where clients ask the application whose counts this exporter has, so that both are one row.

    A proxy listens on an IPv4 address for people, and on another port for Ray on all addresses of both kinds.
    """
    proxies = {each.pid for each in siblings(agent) if RayServe.claims(each)}
    for listener in listeners() if proxies else ():
        if listener.pid in proxies and ":" not in listener.host:
            host = "127.0.0.1" if listener.host == "0.0.0.0" else listener.host  # noqa: S104  # compared
            return f"http://{host}:{listener.port}"
    return None
