"""Hugging Face folders made byte by byte, so that they can be wrong; the weights are a hole in the file."""

import json
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path

Table = Mapping[str, tuple[str, tuple[int, ...]]]
"""Type and shape, by name."""
_BYTES = {
    "BF16": 2,
    "F16": 2,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "I16": 2,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E8M0": 1,
    "I64": 8,
}


def header(table: Table, metadata: Mapping[str, str] | None = None) -> tuple[bytes, int]:
    """The header of a file, its length before it; and the bytes of its weights."""
    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, (kind, shape) in table.items():
        start, end = end, end + _BYTES[kind] * prod(shape)
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, end


def weights(path: Path, table: Table, metadata: Mapping[str, str] | None = None) -> Path:
    """One safetensors file."""
    front, size = header(table, metadata)
    with path.open("wb") as file:
        file.write(front)
        file.truncate(len(front) + size)
    return path


def folder(place: Path, config: Mapping[str, object], table: Table | None = None, shards: int = 1) -> Path:
    """A folder with a configuration, and with weights if there is a table."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(config))
    names = list(table or {})
    for shard in range(shards if table else 0):
        own = {name: table[name] for name in names[shard::shards]} if table else {}
        name = "model.safetensors" if shards == 1 else f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        weights(place / name, own, {"format": "pt"})
    return place
