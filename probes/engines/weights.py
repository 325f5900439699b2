"""Which model a server in Python has loaded: from its files where this machine has them, else from what it says."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
from msgspec import Struct, structs

from ..local import is_local
from ..models import BadModelFile, facts, locate
from ..process import Process
from ..sample import ModelFacts
from .contract import Endpoint, Served

_PLAIN = frozenset({"BF16", "F16", "F32"})
"""Names of weights that are not quantised as stored, but may be when they are loaded."""
_BYTES = {"fp8": 1.0, "int8": 1.0, "bfloat16": 2.0, "float16": 2.0, "half": 2.0, "float32": 4.0, "float": 4.0}
"""Bytes of one element of the KV cache, by how its type begins."""


class Loaded(Struct, frozen=True, kw_only=True):
    """What a server and its command line say of a model."""

    name: str
    """As clients call it."""
    source: str
    """Who says so: "GET /v1/models"."""
    root: str | None = None
    """Folder or hub name of the weights."""
    quantization: str | None = None
    """What the command line makes of the weights, where they are stored otherwise."""
    dtype: str | None = None
    context_length: int | None = None


def listed(entry: Served) -> Loaded:
    """What one entry of `GET /v1/models` says; where it names no root, its name may be that of a hub."""
    return Loaded(
        name=entry.id, source="GET /v1/models", root=entry.root or entry.id, context_length=entry.max_model_len
    )


def model(loaded: Loaded, endpoint: Endpoint) -> ModelFacts:
    """The facts of its files under the names of the server; without the files, what the server says."""
    root = loaded.root
    is_here = endpoint.process is not None or is_local(endpoint.url)
    for place in _places(root or "", endpoint.process) if is_here else ():
        try:
            found = facts(str(place))
        except BadModelFile:
            continue
        if found is not None:
            return _as_loaded(found, loaded)
    return ModelFacts(
        name=loaded.name,
        source=loaded.source,
        path=root if root and os.path.isabs(root) else None,  # noqa: PTH117  # no path is touched
        quantization=loaded.quantization,
        context_length=loaded.context_length,
    )


def element(dtype: str | None) -> float | None:
    """Bytes of a KV cache element of this type; None for "auto", which is the type of the model."""
    return next((size for name, size in _BYTES.items() if dtype and dtype.startswith(name)), None)


def _places(root: str, process: Process | None) -> Iterator[Path]:
    """Where the weights may be: by their name here, from the server's own folder, and in its own root (a container)."""
    try:
        place = locate(root)
    except BadModelFile:
        place = None
    if place is not None:
        yield place
    if process is None or not root:
        return
    if Path(root).is_absolute():
        yield Path(f"/proc/{process.pid}/root") / Path(root).relative_to("/")
        return
    try:
        yield Path(psutil.Process(process.pid).cwd(), root)
    except psutil.Error:
        return


def _as_loaded(found: ModelFacts, loaded: Loaded) -> ModelFacts:
    """Weights that the server stores otherwise than the files have no known size."""
    found = structs.replace(found, name=loaded.name, context_length=loaded.context_length or found.context_length)
    is_cast = found.quantization == "F32" and not (loaded.dtype or "").startswith("float32")
    if found.quantization not in _PLAIN or not (loaded.quantization or is_cast):
        return found
    return structs.replace(
        found,
        source=f"{found.source}, but other weights are loaded: "
        f"{loaded.quantization or loaded.dtype or 'half precision'}",
        quantization=loaded.quantization,
        weight_bytes=None,
        embedding_bytes=None,
        expert_bytes=0,
        unused_bytes=0,
    )
