"""LM Studio, also without its window (llmster): it tells what is loaded, but counts nothing that can be read.

Facts of its documentation (lmstudio.ai/docs/developer/rest/endpoints): `GET /api/v0/models` exists since 0.3.6 and
stands beside the newer /api/v1/models. A path that it does not know is answered with 200 and an "error", and leaves an
error in its log (github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2085), so even /version is not asked.
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import PROXY, Endpoint, Seen, Way, no_counter
from .listing import Listing, Trouble, named, understood
from .weights import Loaded, model

_MODELS = "/api/v0/models"
_PROGRAMS = ("lm studio", "lm-studio", "lmstudio", "llmster")


class _Model(Struct, frozen=True):
    """One model that is loaded or could be; `loaded_context_length` came later than the rest."""

    id: str
    state: str
    publisher: str | None = None
    type: str | None = None
    quantization: str | None = None
    arch: str | None = None
    loaded_context_length: int | None = None


class _Models(Struct, frozen=True):
    data: list[_Model]


_decode = Decoder(_Models).decode


class LMStudio:
    """One server of LM Studio."""

    name: ClassVar[str] = "LM Studio"
    ports: ClassVar[tuple[int, ...]] = (1234,)
    way: ClassVar[Way] = PROXY
    PATHS: ClassVar[frozenset[str]] = frozenset({_MODELS})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._endpoint = seen.endpoint
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok")
        self._models = Listing(fetch.only(self.PATHS), _MODELS, _decode, seen.get(_MODELS))

    @classmethod
    def claims(cls, process: Process) -> bool:
        """By the name of its program."""
        return process.program.startswith(_PROGRAMS)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line or the port alone, and its own path."""
        if not seen.suspects(cls):
            return None
        answer = seen.get(_MODELS)
        models = understood(answer, _MODELS, _decode) if answer else None
        is_locked = isinstance(models, Trouble) and models.status == "unauthorized"
        return cls(seen, fetch) if isinstance(models, _Models) or is_locked else None

    @property
    def period(self) -> float:
        """It asks now and then only."""
        return float("inf")

    def read(self) -> Engine:
        """What is loaded. Raises FetchError."""
        models = self._models.read()
        if isinstance(models, Trouble):
            return models.on(self._known)
        loaded = [each for each in models.data if each.state == "loaded" and each.type != "embeddings"]
        if not loaded:
            return structs.replace(self._known, status="idle", problem="no model loaded")
        return structs.replace(self._known, model=_facts(loaded, self._endpoint), problem=no_counter(self._known.url))


def _facts(loaded: list[_Model], endpoint: Endpoint) -> ModelFacts | None:
    if len(loaded) > 1:
        return named([each.id for each in loaded], f"GET {_MODELS}")
    only = loaded[0]
    found = model(
        Loaded(name=only.id, source=f"GET {_MODELS}", root=only.id, context_length=only.loaded_context_length), endpoint
    )
    return structs.replace(
        found,
        quantization=found.quantization or only.quantization,
        architecture=found.architecture or only.arch,
    )
