"""llama-server without a model of its own: a router that starts one server for each model.

On this machine those servers listen on ports of their own and are found like any other. Elsewhere they are read through
the router, and only those that are loaded: a path with `?model=` would load the model, but for `autoload=false`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..fetch import Fetch
from ..sample import Engine, ModelFacts

if TYPE_CHECKING:
    from .llamacpp import LlamaCpp


class _Status(Struct, frozen=True):
    value: str = ""
    args: list[str] | None = None
    """The command line of its server."""


class _Model(Struct, frozen=True):
    id: str
    status: _Status = _Status()


class _Models(Struct):
    data: list[_Model] = []


_decode = Decoder(_Models).decode


def called(body: bytes, port: int | None) -> str | None:
    """How a router calls the model of the server on this port, by the body of `GET /models`.

    Raises:
        msgspec.DecodeError: the body is none of a router's.
    """
    return next((model.id for model in _decode(body).data if port and _port(model.status) == str(port)), None)


class Router:
    """Reads the models that a router has loaded."""

    def __init__(self, fetch: Fetch, child: Callable[[str], "LlamaCpp"], *, local: bool) -> None:
        """`child` makes the adapter of one model, given the query that names it."""
        self._fetch = fetch.only(frozenset({"/models"}))
        self._child = child
        self._local = local
        self._children: dict[str, LlamaCpp] = {}

    def read(self) -> dict[str, object]:
        """The fields of one reading, over all loaded models. Raises FetchError."""
        try:
            models = _decode(self._fetch.get("/models").body).data
        except DecodeError:
            return {"status": "unsupported", "problem": "GET /models is not what a llama-server router sends"}
        loaded = [model.id for model in models if model.status.value == "loaded"]
        if self._local or not loaded:
            what = "each has a row of its own" if loaded else "none is loaded now"
            return {"status": "idle", "problem": f"a router of {len(models)} models: {what}"}
        self._children = {
            name: self._children.get(name) or self._child(f"?model={quote(name, safe='')}&autoload=false")
            for name in loaded
        }
        return together([child.read() for child in self._children.values()])


def together(readings: list[Engine]) -> dict[str, object]:
    """Counts summed over the models; what only one model can say, if there is only one."""
    first = readings[0]
    alone = len(readings) == 1
    names = ", ".join(reading.model.name for reading in readings if reading.model)
    return {
        "status": "ok" if any(reading.status == "ok" for reading in readings) else first.status,
        "problem": next((reading.problem for reading in readings if reading.problem), None),
        "model": first.model if alone else ModelFacts(name=names, source="GET /models"),
        "decode_tokens": _sum([reading.decode_tokens for reading in readings]),
        "prefill_tokens": _sum([reading.prefill_tokens for reading in readings]),
        "decode_source": first.decode_source and f"{first.decode_source}, of each loaded model",
        "prefill_source": first.prefill_source,
        "liveness": first.liveness,
        "prefill_liveness": first.prefill_liveness,
        "slots": int(_sum([reading.slots for reading in readings]) or 0) or None,
        "requests_running": _sum([reading.requests_running for reading in readings]),
        "prefilling": int(_sum([reading.prefilling for reading in readings]) or 0),
        "kv_cache_usage": first.kv_cache_usage if alone else None,
        "context_tokens": _sum([reading.context_tokens for reading in readings]),
    }


def _port(status: _Status) -> str | None:
    return next((value for option, value in pairwise(status.args or ()) if option == "--port"), None)


def _sum(values: list[float | None] | list[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
