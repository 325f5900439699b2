"""llama-cpp-python's server: the library of llama.cpp without its counters."""

from typing import ClassVar, Self

from ..fetch import Fetch
from ..process import Process
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded


class LlamaCppPython(Uncounted):
    """One `python -m llama_cpp.server`."""

    name: ClassVar[str] = "llama-cpp-python"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    PATHS: ClassVar[frozenset[str]] = frozenset({"/v1/models"})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Its module, or the file of it."""
        return any(
            word == "llama_cpp.server" or word.replace("\\", "/").endswith("llama_cpp/server/__main__.py")
            for word in process.command[:6]
        )

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line, or by the owner of its models: "me"."""
        process = seen.endpoint.process
        if not (process and cls.claims(process)) and seen.owners != frozenset({"me"}):
            return None
        return cls(seen, fetch, lambda: loaded(seen), "/v1/models")


def loaded(seen: Seen) -> Loaded | None:
    """The model of the command line under the name that clients use; several are loaded by the name in a request."""
    file = seen.endpoint.option("--model")
    names = [model.id for model in seen.served]
    if len(names) > 1 or not (names or file):
        return None
    name = names[0] if names else file or ""
    return Loaded(
        name=name.replace("\\", "/").rpartition("/")[2],
        source="GET /v1/models" if names else "command line",
        root=file or name,
        context_length=seen.endpoint.number("--n-ctx"),
    )
