"""Ollama: who loads models and gives them names. What counts tokens is the llama-server that it starts for each.

Facts of github.com/ollama/ollama at the tags named: from v0.30.0 (2026-06, commit 9db4bdbad) each GGUF model has a
`llama-server --model BLOB --port P --host 127.0.0.1` of its own, whose `GET /slots` is open (llm/llama_server.go).
Before, from v0.5 on, it was `ollama runner`, with /completion, /embedding and /health alone (llama/runner/runner.go);
so it is for MLX models to this day (x/mlxrunner/client.go). Ollama itself counts nothing that can be read.
"""

from pathlib import Path
from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .behind import Behind
from .contract import Endpoint, Host, Seen, Way, no_counter
from .listing import Listing, Trouble, named, understood
from .llamacpp import LlamaCpp
from .weights import Loaded, model

_REGISTRY = ("registry.ollama.ai", "library")
"""Host and namespace of a model that is named without them (types/model/name.go)."""
_MANIFEST_BYTES = 1 << 20
EMPTY = "no model loaded"


class _Details(Struct, frozen=True):
    quantization_level: str | None = None


class _Running(Struct, frozen=True):
    """One entry of `GET /api/ps`; `context_length` since v0.12."""

    name: str
    context_length: int | None = None
    details: _Details = _Details()


class _Ps(Struct, frozen=True):
    models: list[_Running]


class _Version(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `GET /api/version`: llama-swap says more there."""

    version: str


_decode_ps = Decoder(_Ps).decode
_decode_version = Decoder(_Version).decode


class Ollama:
    """One `ollama serve`."""

    name: ClassVar[str] = "Ollama"
    ports: ClassVar[tuple[int, ...]] = (11434,)
    way: ClassVar[Way] = Way(
        "GET /slots n_decoded of its llama-server", "token", needs="0.30 or newer, or llmtop proxy"
    )
    PATHS: ClassVar[frozenset[str]] = frozenset({"/api/version", "/api/ps"})

    def __init__(self, seen: Seen, fetch: Fetch, version: str | None) -> None:
        self._endpoint = seen.endpoint
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok", version=version)
        self._ps = Listing(fetch.only(self.PATHS), "/api/ps", _decode_ps)

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`ollama serve`, or its alias `ollama start`; not the client, and not `ollama runner`."""
        return process.program == "ollama" and process.command[1:2] in {("serve",), ("start",)}

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether it is the llama-server of one model."""
        return cls.claims(parent) and LlamaCpp.claims(child)

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> "Served":
        """Its name, its version and its URL on the readings of a child."""
        return Served(host, child, fetch)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line; else by the 404 of its HTTP library, the owner "library", and `/api/version`.

        Many answer its routes: KoboldCpp, Lemonade, LocalAI, SGLang and llama-swap have other owners or other 404s.
        """
        process = seen.endpoint.process
        if not (process and cls.claims(process)) and not _looks_like_it(seen, suspected=seen.suspects(cls)):
            return None
        answer = seen.get("/api/version")
        version = understood(answer, "/api/version", _decode_version) if answer else None
        return cls(seen, fetch, version.version) if isinstance(version, _Version) else None

    @property
    def period(self) -> float:
        """It asks now and then only."""
        return float("inf")

    def read(self) -> Engine:
        """What is loaded, while no llama-server of it is seen. Raises FetchError."""
        ps = self._ps.read()
        if isinstance(ps, Trouble):
            return ps.on(self._known)
        if not ps.models:
            return structs.replace(self._known, status="idle", problem=EMPTY)
        return structs.replace(
            self._known, model=_loaded(ps.models, self._endpoint), problem=no_counter(self._endpoint.url)
        )


class Served:
    """One model that Ollama serves: the counts are those of its llama-server, the names those of Ollama."""

    def __init__(self, host: Host, child: Process, fetch: Fetch) -> None:
        self._host = host
        self._child = child
        self._fetch = fetch
        self._version: str | None = None
        self._behind = Behind(Ollama.name, host, self._called, "GET /api/ps")

    def __call__(self, reading: Engine) -> Engine:
        """The same reading, as one of Ollama."""
        reading = self._behind.rename(reading)
        source = reading.decode_source
        return structs.replace(
            reading,
            engine=Ollama.name,
            url=self._host.url,
            version=self._version,
            decode_source=f"{source} of its llama-server" if source else None,
        )

    def _called(self, reading: Engine) -> str | None:
        """The name of the manifest that has its blob; without the manifests, the only name that there is."""
        version = understood(self._fetch.get("/api/version"), "/api/version", _decode_version)
        self._version = version.version if isinstance(version, _Version) else None
        ps = understood(self._fetch.get("/api/ps"), "/api/ps", _decode_ps)
        names = [] if isinstance(ps, Trouble) else [running.name for running in ps.models]
        blob = Path((reading.model and reading.model.path) or self._child.option("--model") or "")
        told = [name for name in names if _is_of(blob, name)]
        return next(iter(told or (names if len(names) == 1 else [])), None)


def _looks_like_it(seen: Seen, *, suspected: bool) -> bool:
    """Whether `/version` and the owners of its models are those of Ollama."""
    answer = seen.get("/version")
    if answer is None or answer.status != 404 or not answer.body.startswith(b"404 page not found"):
        return False
    return "library" in seen.owners or (suspected and "llama-swap" not in seen.owners)


def _loaded(running: list[_Running], endpoint: Endpoint) -> ModelFacts | None:
    if len(running) > 1:
        return named([each.name for each in running], "GET /api/ps")
    only = running[0]
    loaded = Loaded(name=only.name, source="GET /api/ps", root=only.name, context_length=only.context_length or None)
    found = model(loaded, endpoint)
    return structs.replace(found, quantization=found.quantization or only.details.quantization_level)


def _is_of(blob: Path, name: str) -> bool:
    """Whether the manifest of this name, in the store that holds the blob, names the blob."""
    words, _, tag = name.partition(":")
    parts = words.split("/")
    parts = [*_REGISTRY[: max(3 - len(parts), 0)], *parts]
    if ".." in parts or not blob.name.startswith("sha256-"):
        return False
    manifest = blob.parent.parent.joinpath("manifests", *parts, tag or "latest")
    try:
        with manifest.open("rb") as file:
            return blob.name.replace("-", ":", 1).encode() in file.read(_MANIFEST_BYTES)
    except OSError:
        return False
