"""Which model a llama-server runs: from its /props, its /v1/models, and the file itself where it can be read."""

from pathlib import Path

import psutil
from msgspec import DecodeError, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from ..fetch import Fetch
from ..models import BadModelFile, facts
from ..process import Process
from ..sample import ModelFacts

BLOCK_BYTES = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q4_0": 18 / 32,
    "q4_1": 20 / 32,
    "iq4_nl": 18 / 32,
    "q5_0": 22 / 32,
    "q5_1": 24 / 32,
}
"""Bytes per element of the KV types that `--cache-type-k` takes (ggml block sizes)."""


class Defaults(Struct, frozen=True):
    """The settings of one slot."""

    n_ctx: int | None = None


class Props(Struct, frozen=True):
    """`GET /props`, the fields that say what runs there. Chat templates and the like are skipped."""

    model_path: str | None = None
    model_alias: str | None = None
    model_ftype: str | None = None
    total_slots: int | None = None
    build_info: str | None = None
    role: str | None = None
    """ "router" for a server that starts others, one per model."""
    is_sleeping: bool = False
    endpoint_slots: bool | None = None
    endpoint_metrics: bool | None = None
    default_generation_settings: Defaults = Defaults()


class _Meta(Struct):
    n_params: int | None = None
    size: int | None = None
    ftype: str | None = None


class _Entry(Struct):
    id: str
    meta: _Meta | None = None


class _Entries(Struct):
    data: list[_Entry] = []


decode_props = Decoder(Props).decode
_decode_entries = Decoder(_Entries).decode


class Identity(Struct, frozen=True):
    """The model and the path that it was told by."""

    props_path: str | None
    facts: ModelFacts | None


def identify(props: Props, fetch: Fetch, process: Process | None, query: str = "") -> Identity:
    """The model: from its file if this machine has it, else from `GET /v1/models`. Raises FetchError."""
    context = props.default_generation_settings.n_ctx
    for path in _places(props.model_path, process):
        try:
            found = facts(str(path))
        except BadModelFile:
            continue
        if found is not None:
            return Identity(props.model_path, replace(found, context_length=context or found.context_length))
    return Identity(props.model_path, _served(props, fetch, query))


def kv_bytes_per_element(process: Process) -> float | None:
    """The mean over keys and values, from the command line; None when it names no type."""
    names = process.option("-ctk", "--cache-type-k"), process.option("-ctv", "--cache-type-v")
    if not any(names):
        return None
    return sum(BLOCK_BYTES.get(name or "f16", 2.0) for name in names) / 2


def _served(props: Props, fetch: Fetch, query: str) -> ModelFacts | None:
    """What the server itself says of the size: no layout, so no bytes per token."""
    name = Path(props.model_path or props.model_alias or "").name
    answer = fetch.get("/v1/models" + query)
    try:
        entries = _decode_entries(answer.body).data if answer.status == 200 else []
    except DecodeError:
        entries = []
    if not entries and not name:
        return None
    meta = entries[0].meta or _Meta() if entries else _Meta()
    return ModelFacts(
        name=name or entries[0].id,
        source="GET /v1/models: the file itself cannot be read here",
        path=props.model_path,
        quantization=meta.ftype or props.model_ftype,
        parameters=meta.n_params,
        weight_bytes=meta.size,
        context_length=props.default_generation_settings.n_ctx,
    )


def _places(path: str | None, process: Process | None) -> list[Path]:
    """Where the file may be: the path as the server sees it, from its own folder and its own root (a container)."""
    if not path or path == "none":
        return []
    if process is None:
        return [Path(path)] if Path(path).is_absolute() else []
    places = [Path(path)] if Path(path).is_absolute() else _from_folder(path, process.pid)
    root = Path(f"/proc/{process.pid}/root")
    return [*places, *(root / place.relative_to("/") for place in places)]


def _from_folder(path: str, pid: int) -> list[Path]:
    try:
        return [Path(psutil.Process(pid).cwd(), path)]
    except psutil.Error:
        return []
