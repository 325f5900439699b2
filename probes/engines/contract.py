"""What an engine adapter is, and what it is told of the place where an engine may live.

Identification asks as little as it can, because reading can disturb: the command line of the process that owns the
port comes first; then `GET /version`, once (a cheap 200 or 404 everywhere, and its Server header tells llama.cpp,
uvicorn and BaseHTTP apart); only then `GET /v1/models`, once (mlx-lm scans its whole cache for it). Never a crawl.
"""

from typing import ClassVar, Protocol, Self

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..address import Address
from ..fetch import Answer, Fetch, FetchError
from ..process import Process
from ..sample import Engine, Liveness

UNAUTHORIZED = "answers 401: set LLMTOP_API_KEY (or --api-key-env NAME)"
"""The problem of an engine that wants a key it did not get."""

_ABOUT_THE_PATH = frozenset({"too_big", "redirect", "protocol"})
"""Kinds of failure that say something of one path, not of the whole endpoint."""


class Host(Struct, frozen=True):
    """An engine that starts others and stands before them (Ollama, llama-swap)."""

    url: str
    process: Process


class Endpoint(Struct, frozen=True):
    """Where an engine may be listening."""

    url: str
    process: Process | None = None
    explicit: bool = False
    """Whether a person named it."""
    host: Host | None = None
    """Who started its process and stands before it."""
    announced: bool = False
    """Whether it is llmtop itself that counts there: a proxy or a hook."""
    children: tuple[str, ...] = ()
    """URLs of the engines that its process has started: each is a place of its own."""

    def option(self, *names: str) -> str | None:
        """What the command line of its process says; None where that is not known."""
        return self.process.option(*names) if self.process else None

    def number(self, *names: str) -> int | None:
        """The same for a whole number."""
        return self.process.number(*names) if self.process else None


class Served(Struct, frozen=True):
    """One entry of `GET /v1/models`."""

    id: str
    owned_by: str | None = None
    parent: str | None = None
    """vLLM: the model that a LoRA adapter sits on."""
    root: str | None = None
    """vLLM, SGLang: folder or hub name of the weights."""
    max_model_len: int | None = None


class _List(Struct):
    data: list[Served] = []


_decode_list = Decoder(_List).decode


class Seen:
    """What identification has learnt of one endpoint: every path is asked once at most, whoever asks."""

    def __init__(self, endpoint: Endpoint, fetch: Fetch) -> None:
        self.endpoint = endpoint
        self.trouble: FetchError | None = None
        """The first answer that could not be used: it is the reason to show if no adapter matches."""
        self._fetch = fetch
        self._answers: dict[str, Answer | None] = {}

    def get(self, path: str) -> Answer | None:
        """The answer of one path; None if it could not be used.

        Raises:
            FetchError: the endpoint as a whole cannot be asked (refused, timeout, TLS, network).
        """
        if path not in self._answers:
            try:
                self._answers[path] = self._fetch.get(path)
            except FetchError as error:
                if error.kind not in _ABOUT_THE_PATH:
                    raise
                self.trouble = self.trouble or error
                self._answers[path] = None
        return self._answers[path]

    @property
    def server(self) -> str | None:
        """The Server header of `GET /version`."""
        answer = self.get("/version")
        return answer.server if answer else None

    @property
    def served(self) -> tuple[Served, ...]:
        """The models of `GET /v1/models`; none where that is not free (mlx-lm), not there or not understood."""
        if (self.server or "").startswith("BaseHTTP"):
            return ()
        answer = self.get("/v1/models")
        if answer is None or answer.status != 200:
            return ()
        try:
            return tuple(_decode_list(answer.body).data)
        except DecodeError:
            return ()

    @property
    def owners(self) -> frozenset[str]:
        """Who owns the models of `GET /v1/models`, in lower case: most engines give their own name there."""
        return frozenset(model.owned_by.lower() for model in self.served if model.owned_by)

    def suspects(self, engine: "type[EngineAdapter]") -> bool:
        """Whether paths that only this engine has may be asked: its command line says so, or the port alone does.

        A port says nothing when the process behind it is known and is another engine's.
        """
        process = self.endpoint.process
        if process is not None and engine.claims(process):
            return True
        return self.endpoint.process is None and self.port in engine.ports

    @property
    def port(self) -> int:
        """Port of the endpoint."""
        return Address.parse(self.endpoint.url).port

    @property
    def guarded(self) -> bool:
        """Whether `GET /v1/models` asks for a key that was not given, or not the right one."""
        if (self.server or "").startswith("BaseHTTP"):
            return False
        answer = self.get("/v1/models")
        return answer is not None and answer.status in {401, 403}


class Way(Struct, frozen=True):
    """How an engine is read, for people who want to know before they run it."""

    decode: str
    """Where the decode rate comes from: "GET /slots"."""
    liveness: Liveness
    """What moves it, with what it needs."""
    needs: str | None = None
    """What must be switched on, or run beside it: "--enable-metrics", "llmtop proxy"."""


PROXY = Way("llmtop proxy", "token", needs="llmtop proxy before it")
"""Engines that publish no live counter."""


def no_counter(url: str) -> str:
    """The problem of an engine that publishes no live counter."""
    return f"publishes no live count: run llmtop proxy --upstream {url} and point clients at it"


class EngineAdapter(Protocol):
    """Reads one engine. One file and one class per engine; its name stands in one tuple."""

    name: ClassVar[str]
    """As people write it: "llama.cpp", "vLLM"."""
    ports: ClassVar[tuple[int, ...]]
    """Where it listens when nobody says otherwise."""
    way: ClassVar[Way]
    """How it is read."""
    PATHS: ClassVar[frozenset[str]]
    """All that it ever asks for, queries included: `fetch.only(PATHS)` keeps it to that."""

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Whether a command line looks like this engine. Nothing is asked."""
        ...

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """An adapter, if this is its engine.

        Args:
            seen: what is known already; asked first, so that no path is asked twice.
            fetch: for the readings to come; the adapter restricts it to its paths.

        Raises:
            FetchError: the endpoint as a whole cannot be asked.
        """
        ...

    @property
    def period(self) -> float:
        """Seconds from one reading to the next that the engine can well bear."""
        ...

    def read(self) -> Engine:
        """One reading.

        Raises:
            FetchError: the engine could not be asked; whoever owns the row turns it into a status.
        """
        ...


class Present(Protocol):
    """Puts the reading of a child into the words of its host: the names that the person knows."""

    def __call__(self, reading: Engine) -> Engine:
        """The same reading under the host's name, with `via` or the host's `url`. Asks at most what `PATHS` allow."""
        ...


class HostAdapter(EngineAdapter, Protocol):
    """An adapter of an engine that starts others: while it has children, each has a row and it has none itself."""

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether `child` is an engine that `parent`, which may be of this kind, has started to serve a model."""
        ...

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> Present:
        """What renames the readings of one child.

        Args:
            host: the process that started it, and where that one listens.
            child: the process that is read.
            fetch: asks the host.
        """
        ...
