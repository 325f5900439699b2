"""Lemonade Server: starts a llama-server or another engine for each model.

Facts of github.com/lemonade-sdk/lemonade (v11.7, v9.4: docs/api/lemonade.md, src/cpp/server/server.cpp; v8: the server
in Python). `GET /api/v1/health` names what is loaded, since v9 with the URL of each engine. An unknown path leaves an
error in its log, so even /version is not asked. Its /metrics scrapes those of its llama-servers, which empties gauges.
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..address import Address
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .behind import Behind, port
from .contract import Host, Seen, Way, no_counter
from .followed import Followed
from .listing import Listing, Trouble, named, understood

_HEALTH = "/api/v1/health"
_STATS = "/api/v1/stats"
_PROGRAMS = frozenset({"lemond", "lemonade-router", "lemonade-server", "lemonade-server-dev"})
_COUNTING = frozenset({"llamacpp", "vllm"})
"""Recipes whose engines tell how far they are."""


class _Loaded(Struct, frozen=True):
    model_name: str
    recipe: str | None = None
    backend_url: str | None = None
    is_busy: bool | None = None


class _Health(Struct, frozen=True):
    status: str
    version: str | None = None
    model_loaded: str | None = None
    all_models_loaded: list[_Loaded] = []

    @property
    def names(self) -> list[str]:
        """The loaded models; older servers name one only."""
        return [each.model_name for each in self.all_models_loaded] or [*filter(None, [self.model_loaded])]


class _Stats(Struct, frozen=True):
    """Of the last request."""

    tokens_per_second: float | None = None


_decode = Decoder(_Health).decode
_decode_stats = Decoder(_Stats).decode


class Lemonade:
    """One Lemonade Server, while none of the engines that it has started is seen."""

    name: ClassVar[str] = "Lemonade"
    ports: ClassVar[tuple[int, ...]] = (13305,)
    way: ClassVar[Way] = Way("GET /slots n_decoded of its llama-server", "token", needs="other engines: llmtop proxy")
    PATHS: ClassVar[frozenset[str]] = frozenset({_HEALTH, _STATS})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok")
        self._via = f"{self.name} {Address.parse(seen.endpoint.url).site}"
        self._health = Listing(fetch.only(self.PATHS), _HEALTH, _decode, seen.get(_HEALTH))
        self._stats = Listing(fetch.only(self.PATHS), _STATS, _decode_stats)
        self._followed = Followed(seen.endpoint)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """By the name of its program, which is a script in Python in older versions."""
        words = {
            word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe") for word in process.command[:2]
        }
        return not _PROGRAMS.isdisjoint({process.program, *words})

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether Lemonade is its parent: what listens there serves a model."""
        return cls.claims(parent) and not cls.claims(child)

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> Behind:
        """The name of the model in Lemonade, and that it stands before the engine."""
        del child  # its port, which the reading has too, is what both know it by

        def called(reading: Engine) -> str | None:
            health = understood(fetch.get(_HEALTH), _HEALTH, _decode)
            models = [] if isinstance(health, Trouble) else health.all_models_loaded
            there = (each for each in models if each.backend_url and port(each.backend_url) == port(reading.url))
            return next((each.model_name for each in there), None)

        return Behind(cls.name, host, called, f"GET {_HEALTH}")

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line or the port alone; else by the owner of its models and the want of a Server header."""
        if not seen.suspects(cls) and (seen.server or "lemonade" not in seen.owners):
            return None
        answer = seen.get(_HEALTH)
        health = understood(answer, _HEALTH, _decode) if answer else None
        is_known = isinstance(health, _Health) or (isinstance(health, Trouble) and health.status == "unauthorized")
        return cls(seen, fetch) if is_known else None

    @property
    def period(self) -> float:
        """The engines that it starts have periods of their own."""
        return float("inf")

    def read(self) -> Engine:
        """What is loaded, and how fast it is, where no row of its own tells it. Raises FetchError."""
        health = self._health.read()
        if isinstance(health, Trouble):
            return health.on(self._known)
        known = structs.replace(self._known, version=health.version)
        if not health.names:
            return structs.replace(known, status="idle", problem="no model loaded")
        counting = [each for each in health.all_models_loaded if each.recipe in _COUNTING]
        reading = self._followed.read({each.backend_url: each.model_name for each in counting if each.backend_url})
        if reading is not None:
            return structs.replace(reading, via=self._via)
        stats = self._stats.read()
        is_busy = [each.is_busy for each in health.all_models_loaded if each.is_busy is not None]
        return structs.replace(
            known,
            status="idle" if is_busy and not any(is_busy) else "ok",
            model=named(health.names, f"GET {_HEALTH}"),
            last_decode_tps=None if isinstance(stats, Trouble) else stats.tokens_per_second or None,
            problem=no_counter(self._known.url),
        )
