"""mlx-lm's server: no count at all, and `GET /v1/models` scans the cache of models, so that it is never asked."""

from itertools import pairwise
from typing import ClassVar, Self

from ..fetch import Fetch
from ..process import Process
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded

_HEALTH = b'{"status": "ok"}'
"""The whole of `GET /health`; llama-server answers the same bytes, under another Server header."""


class MlxLm(Uncounted):
    """One `mlx_lm.server`."""

    name: ClassVar[str] = "mlx-lm"
    ports: ClassVar[tuple[int, ...]] = (8080,)
    PATHS: ClassVar[frozenset[str]] = frozenset({"/health"})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`mlx_lm.server`, `mlx_lm server`, and both as a module of Python."""
        words = [word.replace("\\", "/").rpartition("/")[2] for word in process.command[:6]]
        return "mlx_lm.server" in words or ("mlx_lm", "server") in pairwise(words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line; without one, by the bare server of Python and its health."""
        process = seen.endpoint.process
        if not (process and cls.claims(process)):
            is_bare = seen.suspects(cls) and (seen.server or "").startswith("BaseHTTP")
            answer = seen.get("/health") if is_bare else None
            if answer is None or answer.body != _HEALTH:
                return None
        return cls(seen, fetch, lambda: loaded(process), "/health")


def loaded(process: Process | None) -> Loaded | None:
    """The model of the command line; without one it is loaded by the name in each request."""
    named = process.option("--model") if process else None
    return Loaded(name=named.rstrip("/").rpartition("/")[2], source="command line", root=named) if named else None
