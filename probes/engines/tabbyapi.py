"""TabbyAPI, which serves ExLlamaV3 and, in older versions, ExLlamaV2: it knows its model, and counts nothing.

Paths of endpoints/core/router.py: what software it is wants no key, the model card does.
"""

from typing import ClassVar, Self

from msgspec import DecodeError, Struct, structs
from msgspec.json import Decoder

from ..fetch import Answer, Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .contract import PROXY, Endpoint, Seen, Way, no_counter
from .listing import Listing, Trouble
from .weights import Loaded, model

_SERVICE = "/.well-known/serviceinfo"
_MODEL = "/v1/model"


class _Software(Struct):
    name: str


class _Service(Struct):
    software: _Software


class _Parameters(Struct):
    max_seq_len: int | None = None
    cache_mode: str | None = None
    max_batch_size: int | None = None


class _Card(Struct):
    id: str
    parameters: _Parameters | None = None


_decode_service = Decoder(_Service).decode
_decode_card = Decoder(_Card).decode
_CACHE_BYTES = {"FP16": 2.0, "Q8": 1.0, "Q6": 0.75, "Q4": 0.5}
"""Bytes of a KV cache element by `cache_mode`, without the scales of its blocks."""


class TabbyApi:
    """One TabbyAPI."""

    name: ClassVar[str] = "TabbyAPI"
    ports: ClassVar[tuple[int, ...]] = (5000,)
    way: ClassVar[Way] = PROXY
    PATHS: ClassVar[frozenset[str]] = frozenset({_SERVICE, _MODEL})

    def __init__(self, endpoint: Endpoint, fetch: Fetch) -> None:
        self._endpoint = endpoint
        self._card = Listing(fetch.only(self.PATHS), _MODEL, _decode_card)
        self._known = Engine(engine=self.name, url=endpoint.url, status="ok")
        self._facts: tuple[_Card, ModelFacts] | None = None

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Its folder stands in the command line; `python main.py` alone says nothing."""
        return any("tabbyapi" in word.lower() for word in process.command[:3])

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the software that it says it is; asked where the command line, the port or its models point to it."""
        if not (seen.suspects(cls) or _runs_main(seen) or "tabbyapi" in seen.owners):
            return None
        return cls(seen.endpoint, fetch) if _is_it(seen.get(_SERVICE)) else None

    @property
    def period(self) -> float:
        """It asks now and then only."""
        return float("inf")

    def read(self) -> Engine:
        """Which model it has loaded. Raises FetchError."""
        card = self._card.read()
        if isinstance(card, Trouble):
            if card.status == "unsupported":  # 4xx or 503: no model is loaded
                return structs.replace(self._known, status="idle", problem="no model loaded")
            return card.on(self._known)
        if self._facts is None or self._facts[0] != card:
            self._facts = card, self._model(card)
        parameters = card.parameters or _Parameters()
        return structs.replace(
            self._known,
            model=self._facts[1],
            slots=parameters.max_batch_size,
            kv_bytes_per_element=_CACHE_BYTES.get(parameters.cache_mode or ""),
            problem=no_counter(self._endpoint.url),
        )

    def _model(self, card: _Card) -> ModelFacts:
        folder = self._endpoint.option("--model-dir") or "models"
        length = card.parameters.max_seq_len if card.parameters else None
        loaded = Loaded(name=card.id, source=f"GET {_MODEL}", root=f"{folder}/{card.id}", context_length=length)
        return model(loaded, self._endpoint)


def _runs_main(seen: Seen) -> bool:
    """Whether it is a Python program on its port that could be started as people start it."""
    process = seen.endpoint.process
    programs = {word.rpartition("/")[2] for word in process.command[1:3]} if process else set[str]()
    return bool(programs & {"main.py", "start.py"}) and seen.port in TabbyApi.ports


def _is_it(answer: Answer | None) -> bool:
    if answer is None or answer.status != 200:
        return False
    try:
        return _decode_service(answer.body).software.name == "TabbyAPI"
    except DecodeError:
        return False
