"""oMLX, a server of many models on Apple silicon: it tells which is the usual one, and counts at the end of a request.

It writes each answer of 4xx into its log as a warning, so that it is asked for nothing that it may not know: its health
alone, which wants no key (omlx/server.py).
"""

from typing import ClassVar, Self

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..fetch import Fetch
from ..process import Process
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded

_HEALTH = "/health"


class _Health(Struct):
    default_model: str | None = None


_decode = Decoder(_Health).decode


class OMlx(Uncounted):
    """One of them."""

    name: ClassVar[str] = "oMLX"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    PATHS: ClassVar[frozenset[str]] = frozenset({_HEALTH})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`omlx serve`, or the server of its application."""
        words = [word.replace("\\", "/").rpartition("/")[2].lower() for word in process.command[:4]]
        return process.program == "omlx-server" or ("omlx" in words and "serve" in words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line, before it is asked anything; else by the owner of its models."""
        process = seen.endpoint.process
        if not (process and cls.claims(process)) and "omlx" not in seen.owners:
            return None
        return cls(seen, fetch, lambda: loaded(seen), _HEALTH)


def loaded(seen: Seen) -> Loaded | None:
    """Its usual model; which ones are in memory wants a session of its administrator."""
    answer = seen.get(_HEALTH)
    if answer is None:
        return None
    try:
        name = _decode(answer.body).default_model
    except DecodeError:
        return None
    folder = seen.endpoint.option("--model-dir")
    return Loaded(name=name, source=f"GET {_HEALTH}", root=f"{folder}/{name}" if folder else name) if name else None
