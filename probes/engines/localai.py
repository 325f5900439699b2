"""LocalAI: its backends are processes of their own that speak gRPC alone; its counters move at the end of a request.

Facts of github.com/mudler/LocalAI (v4.9): core/http/routes/localai.go, core/services/routing/billing/prom.go,
pkg/model/process.go. It answers Ollama's routes as well, and its `GET /version` is `{"version":"v4.9.0 (COMMIT)"}`.
"""

import re
from typing import ClassVar, Self

from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .contract import PROXY, Seen, Way, no_counter
from .listing import Listing, Trouble, named
from .prometheus import Counter, Names
from .scraped import Scrape

_PRINTED = re.compile(r"\S* ?\([0-9a-f]{7,40}\)")
"""A version as it prints it: with the commit."""
_TOKENS = "localai_tokens_total"

NAMES = Names(
    decode=(Counter(_TOKENS, (("kind", "completion"),), "at request end", "request"),),
    prefill=(Counter(_TOKENS, (("kind", "prompt"),), "at request end", "request"),),
)


class _Version(Struct, frozen=True, forbid_unknown_fields=True):
    version: str


class _Model(Struct, frozen=True):
    id: str


class _System(Struct, frozen=True):
    loaded_models: list[_Model]


_decode_version = Decoder(_Version).decode
_decode_system = Decoder(_System).decode


class LocalAI:
    """One LocalAI server."""

    name: ClassVar[str] = "LocalAI"
    ports: ClassVar[tuple[int, ...]] = (8080,)
    way: ClassVar[Way] = PROXY
    PATHS: ClassVar[frozenset[str]] = frozenset({"/version", "/v1/models", "/system", "/metrics"})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._known = Engine(
            engine=self.name,
            url=seen.endpoint.url,
            status="ok",
            version=_version(seen),
            problem=no_counter(seen.endpoint.url),
        )
        fetch = fetch.only(self.PATHS)
        self._system = Listing(fetch, "/system", _decode_system)
        self._scrape: Scrape | None = Scrape(fetch, NAMES)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`local-ai`, `local-ai run`; not its backends, which take `--addr`."""
        return process.program in {"local-ai", "localai"} and "--addr" not in process.command

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By its command line, or by the way it prints its version and models that nobody owns."""
        version = _version(seen)
        if version is None:
            return None
        process = seen.endpoint.process
        if (process and cls.claims(process)) or (_PRINTED.fullmatch(version) and not seen.owners):
            return cls(seen, fetch)
        return None

    @property
    def period(self) -> float:
        """Nothing moves while an answer is written."""
        return float("inf")

    def read(self) -> Engine:
        """What is loaded, and the tokens of the requests that have ended. Raises FetchError."""
        engine, series = self._scrape.read(self._known) if self._scrape else (self._known, None)
        if series is None:  # the metrics may be switched off, or want the key of an administrator
            engine, self._scrape = self._known, None
        system = self._system.read()
        if isinstance(system, Trouble):
            return engine
        loaded = [each.id for each in system.loaded_models]
        if not loaded:
            return structs.replace(engine, status="idle", problem="no model loaded")
        return structs.replace(engine, model=named(loaded, "GET /system"))


def _version(seen: Seen) -> str | None:
    answer = seen.get("/version")
    if answer is None or answer.status != 200:
        return None
    try:
        return _decode_version(answer.body).version
    except DecodeError:
        return None
