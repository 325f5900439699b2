"""text-generation-webui: its llama.cpp loader starts a llama-server, whose slots count; its other loaders tell nothing.

Facts of github.com/oobabooga/text-generation-webui (v1.8 to v4.7: modules/llama_cpp_server.py, modules/api/script.py,
before v4 extensions/openai/script.py): the llama-server listens five ports above the API, or anywhere. ExLlamaV3_HF,
ExLlamaV3, Transformers and the others run inside it.
"""

from typing import ClassVar, Self

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine, ModelFacts
from .behind import Behind
from .contract import Host, Seen, Way, no_counter
from .listing import Listing, Trouble, understood
from .llamacpp import LlamaCpp
from .weights import Loaded, model

_INFO = "/v1/internal/model/info"
_NOTHING = frozenset({"", "None"})
_OPTIONS = frozenset(
    [
        "--api",
        "--api-port",
        "--public-api",
        "--nowebui",
        "--loader",
        "--extensions",
        "--model-dir",
        "--user-data-dir",
        "--portable",
        "--lora",
        "--listen-port",
        "--gradio-auth",
        "--chat",
        "--multi-user",
        "--model-menu",
    ]
)
"""Options of its server.py; others have a server.py, too."""


class _Info(Struct, frozen=True):
    """What is loaded."""

    model_name: str | None
    lora_names: list[str]
    loader: str | None = None

    @property
    def loaded(self) -> str | None:
        """The name of the model, if there is one."""
        return self.model_name if self.model_name and self.model_name not in _NOTHING else None


_decode = Decoder(_Info).decode


class TextGenerationWebui:
    """One text-generation-webui with its API switched on, while it has no llama-server."""

    name: ClassVar[str] = "text-generation-webui"
    ports: ClassVar[tuple[int, ...]] = (5000,)
    way: ClassVar[Way] = Way(
        "GET /slots n_decoded of its llama-server", "token", needs="--api; loaders but llama.cpp: llmtop proxy"
    )
    PATHS: ClassVar[frozenset[str]] = frozenset({_INFO})

    def __init__(self, seen: Seen, fetch: Fetch) -> None:
        self._endpoint = seen.endpoint
        self._known = Engine(engine=self.name, url=seen.endpoint.url, status="ok")
        self._info = Listing(fetch.only(self.PATHS), _INFO, _decode, seen.get(_INFO))

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`python server.py` in a folder of this name, or with options that only this server.py has."""
        words = [word.replace("\\", "/") for word in process.command]
        if not any(word.rpartition("/")[2] == "server.py" for word in words[1:3]):
            return False
        return any("text-generation-webui" in word for word in words[:3]) or not _OPTIONS.isdisjoint(words)

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether it is the llama-server of its llama.cpp loader."""
        return cls.claims(parent) and LlamaCpp.claims(child)

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> Behind:
        """The name of the model, and that it stands before the llama-server."""
        del child  # it has one at a time

        def called(reading: Engine) -> str | None:
            del reading
            info = understood(fetch.get(_INFO), _INFO, _decode)
            return None if isinstance(info, Trouble) else info.loaded

        return Behind(cls.name, host, called, f"GET {_INFO}")

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By its command line, or its port or owner ("user"), and the path that only it has."""
        process = seen.endpoint.process
        is_claimed = process is not None and cls.claims(process)
        if not is_claimed and not (list(seen.owners) == ["user"] or (seen.suspects(cls) and not seen.owners)):
            return None
        answer = seen.get(_INFO)
        info = understood(answer, _INFO, _decode) if answer else None
        is_locked = isinstance(info, Trouble) and info.status == "unauthorized" and is_claimed
        return cls(seen, fetch) if isinstance(info, _Info) or is_locked else None

    @property
    def period(self) -> float:
        """It asks now and then only."""
        return float("inf")

    def read(self) -> Engine:
        """What is loaded. Raises FetchError."""
        info = self._info.read()
        if isinstance(info, Trouble):
            return info.on(self._known)
        if info.loaded is None:
            return structs.replace(self._known, status="idle", problem="no model loaded")
        counter = no_counter(self._known.url)
        return structs.replace(
            self._known,
            model=self._model(info.loaded),
            problem=f"its loader {info.loader} {counter}" if info.loader else counter,
        )

    def _model(self, name: str) -> ModelFacts:
        folder = self._endpoint.option("--model-dir") or "user_data/models"
        return model(Loaded(name=name, source=f"GET {_INFO}", root=f"{folder}/{name}"), self._endpoint)
