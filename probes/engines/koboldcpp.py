"""KoboldCpp: it tells whether it works, who waits, and how fast the last request was. Nothing moves in between.

Facts of koboldcpp.py of github.com/LostRuins/koboldcpp (1.76 of 2024-10, and a copy of 2026 with the newer fields):
`GET /api/extra/perf` wants no key. `last_eval` and `last_process` are milliseconds per token of the last request. It
answers Ollama's /api/version, /api/tags and /api/ps with a made-up model. /api/extra/generate/check tells what people
are being written.
"""

from pathlib import PurePath
from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import PROXY, Endpoint, Seen, Way, no_counter
from .listing import Listing, Trouble, understood
from .weights import Loaded, model

_PERF = "/api/extra/perf"
_MODEL = "/api/v1/model"
_VERSION = "/api/extra/version"
_CONTEXT = "/api/extra/true_max_context_length"
_RESOLUTION_S = 0.01
"""A prefill shorter than this is not told: it is timed in whole milliseconds, so 1 ms makes thousands of tokens/s."""


class _Perf(Struct, frozen=True):
    idle: int
    queue: int | None = None
    total_gens: int | None = None
    last_eval: float | None = None
    last_eval_speed: float | None = None
    last_process_speed: float | None = None
    last_process_time: float | None = None

    @property
    def decode_tps(self) -> float | None:
        """Of the last request; 1.76 tells milliseconds per token only."""
        if not self.total_gens:
            return None
        return self.last_eval_speed or (1000 / self.last_eval if self.last_eval and self.last_eval > 0 else None)

    @property
    def prefill_tps(self) -> float | None:
        """Of the last request, where it took long enough to be timed."""
        if not self.total_gens or (self.last_process_time or 0.0) < _RESOLUTION_S:
            return None
        return self.last_process_speed or None


class _Version(Struct, frozen=True):
    result: str
    version: str


class _Text(Struct, frozen=True):
    result: str


class _Number(Struct, frozen=True):
    value: int


_decode_perf = Decoder(_Perf).decode
_decode_version = Decoder(_Version).decode
_decode_text = Decoder(_Text).decode
_decode_number = Decoder(_Number).decode


class KoboldCpp:
    """One KoboldCpp."""

    name: ClassVar[str] = "KoboldCpp"
    ports: ClassVar[tuple[int, ...]] = (5001,)
    way: ClassVar[Way] = PROXY
    PATHS: ClassVar[frozenset[str]] = frozenset({_PERF, _MODEL, _VERSION, _CONTEXT})

    def __init__(self, seen: Seen, fetch: Fetch, version: str) -> None:
        self._endpoint = seen.endpoint
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok", version=version)
        self._fetch = fetch.only(self.PATHS)
        self._model = Listing(self._fetch, _MODEL, _decode_text)
        self._context = Listing(self._fetch, _CONTEXT, _decode_number)
        self._facts: tuple[str, ModelFacts] | None = None

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`koboldcpp`, `koboldcpp-linux-x64` and the like, or `python koboldcpp.py`."""
        script = PurePath(process.command[1].replace("\\", "/")).name if len(process.command) > 1 else ""
        return process.program.startswith("koboldcpp") or script.lower() == "koboldcpp.py"

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line or the port alone, its Server header or its owner; its own version settles it."""
        if not seen.suspects(cls) and not _looks_like_it(seen):
            return None
        answer = seen.get(_VERSION)
        version = understood(answer, _VERSION, _decode_version) if answer else None
        if not isinstance(version, _Version) or version.result != cls.name:
            return None
        return cls(seen, fetch, version.version)

    @property
    def period(self) -> float:
        """As often as the interval: whether it works is told live."""
        return float("inf")

    def read(self) -> Engine:
        """Whether it works, what is loaded, and the speed of the last request. Raises FetchError."""
        perf = understood(self._fetch.get(_PERF), _PERF, _decode_perf)
        if isinstance(perf, Trouble):
            return perf.on(self._known)
        loaded = self._loaded()
        idle = bool(perf.idle)
        return structs.replace(
            self._known,
            status="idle" if idle else "ok",
            model=loaded,
            requests_running=0.0 if idle else None,
            requests_waiting=None if perf.queue is None else float(perf.queue),
            last_decode_tps=perf.decode_tps,
            last_prefill_tps=perf.prefill_tps,
            problem=no_counter(self._known.url) if loaded else "no model loaded",
        )

    def _loaded(self) -> ModelFacts | None:
        said = self._model.read()
        if isinstance(said, Trouble) or said.result == "inactive":
            return None
        if self._facts is None or self._facts[0] != said.result:
            context = self._context.read()
            length = None if isinstance(context, Trouble) else context.value
            self._facts = said.result, _facts(said.result.removeprefix("koboldcpp/"), length, self._endpoint)
        return self._facts[1]


def _looks_like_it(seen: Seen) -> bool:
    return (seen.server or "").startswith(("KoboldCpp", "ConcedoLlamaForKobold")) or "koboldcpp" in seen.owners


def _facts(name: str, context: int | None, endpoint: Endpoint) -> ModelFacts:
    """From the file of its command line where that is the model; the person may have loaded another one since."""
    process = endpoint.process
    file = endpoint.option("--model")
    if process and file is None:
        file = next((word for word in process.command[1:] if word.lower().endswith(".gguf")), None)
    root = file if file and PurePath(file.replace("\\", "/")).stem == name else None
    return model(Loaded(name=name, source=f"GET {_MODEL}", root=root, context_length=context), endpoint)
