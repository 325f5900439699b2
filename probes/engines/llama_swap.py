"""llama-swap: starts an engine for the model that is asked for, and ends it when another one is.

Facts of github.com/mostlygeek/llama-swap: `GET /running` names the engines that run, since v190 (2026-02) with the URL
of each (`proxy`). Asking them there does not renew their time to live, since nothing passes through llama-swap. Paths
below /upstream/ load a model, and so does /props.
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..address import Address
from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .behind import Behind, port
from .contract import Host, Seen, Way
from .followed import Followed
from .listing import Listing, Trouble, named, understood

_RUNNING = "/running"


class _Model(Struct, frozen=True):
    model: str
    state: str = ""
    proxy: str | None = None


class _Running(Struct, frozen=True):
    running: list[_Model]


_decode = Decoder(_Running).decode


class LlamaSwap:
    """One llama-swap, while none of the engines that it has started is seen."""

    name: ClassVar[str] = "llama-swap"
    ports: ClassVar[tuple[int, ...]] = (8080,)
    way: ClassVar[Way] = Way("the engine that it starts", "token")
    PATHS: ClassVar[frozenset[str]] = frozenset({_RUNNING})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok")
        self._via = f"{self.name} {Address.parse(seen.endpoint.url).site}"
        self._running = Listing(fetch.only(self.PATHS), _RUNNING, _decode, seen.get(_RUNNING))
        self._followed = Followed(seen.endpoint)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """By the name of its program: releases have it with and without the platform."""
        return process.program.startswith("llama-swap")

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether llama-swap is its parent: it starts nothing but engines."""
        return cls.claims(parent) and not cls.claims(child)

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> Behind:
        """The name of the model in its configuration, and that it stands before the engine."""
        del child  # its port, which the reading has too, is what both know it by

        def called(reading: Engine) -> str | None:
            running = understood(fetch.get(_RUNNING), _RUNNING, _decode)
            models = [] if isinstance(running, Trouble) else running.running
            there = [each.model for each in models if each.proxy and port(each.proxy) == port(reading.url)]
            only = [each.model for each in models if each.proxy is None]  # before v190
            return next(iter(there or (only if len(only) == 1 else [])), None)

        return Behind(cls.name, host, called, f"GET {_RUNNING}")

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line, or by the owner of its models."""
        process = seen.endpoint.process
        if not (process and cls.claims(process)) and cls.name not in seen.owners:
            return None
        answer = seen.get(_RUNNING)
        running = understood(answer, _RUNNING, _decode) if answer else None
        is_known = isinstance(running, _Running) or (isinstance(running, Trouble) and running.status == "unauthorized")
        return cls(seen, fetch) if is_known else None

    @property
    def period(self) -> float:
        """The engines that it starts have periods of their own."""
        return float("inf")

    def read(self) -> Engine:
        """What runs, and how fast, where no row of its own tells it. Raises FetchError."""
        running = self._running.read()
        if isinstance(running, Trouble):
            return running.on(self._known)
        if not running.running:
            return structs.replace(self._known, status="idle", problem="no model loaded")
        reading = self._followed.read({each.proxy: each.model for each in running.running if each.proxy})
        if reading is not None:
            return structs.replace(reading, via=self._via)
        places = ", ".join(each.proxy for each in running.running if each.proxy)
        return structs.replace(
            self._known,
            model=named([each.model for each in running.running], f"GET {_RUNNING}"),
            problem=f"counts nothing itself: name the engine behind it{places and ', it says ' + places}",
        )
