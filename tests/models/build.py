"""GGUF files made byte by byte, so that they can be wrong; the weights are a hole in the file."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Item = int | float | bool | str | Sequence[int] | Sequence[bool] | Sequence[str]
ALIGNMENT = 32


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Item) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case _:
            return struct.pack("<I", 9) + _items(value)


def _items(items: Sequence[int] | Sequence[bool] | Sequence[str]) -> bytes:
    if items and isinstance(items[0], str):
        return struct.pack("<IQ", 8, len(items)) + b"".join(_text(str(item)) for item in items)
    if items and isinstance(items[0], bool):
        return struct.pack(f"<IQ{len(items)}?", 7, len(items), *items)
    return struct.pack(f"<IQ{len(items)}I", 4, len(items), *items)


def header(keys: Mapping[str, Item], tensors: Mapping[str, tuple[int, ...]], version: int = 3) -> tuple[bytes, int]:
    """The header of a file of F16 tensors, dimensions innermost first; and the bytes of its weights."""
    data = bytearray(b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)))
    data += b"".join(_text(key) + _value(value) for key, value in keys.items())
    offset = 0
    for name, dimensions in tensors.items():
        data += _text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, 1, offset)
        size = 2
        for length in dimensions:
            size *= length
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    return bytes(data) + bytes(-len(data) % ALIGNMENT), offset


def build(path: Path, keys: Mapping[str, Item], tensors: Mapping[str, tuple[int, ...]], version: int = 3) -> Path:
    front, weights = header(keys, tensors, version)
    with path.open("wb") as file:
        file.write(front)
        file.truncate(len(front) + weights)
    return path


def blocks(layers: int, *kinds: str) -> dict[str, tuple[int, ...]]:
    """Small tensors of each layer, by kind."""
    return {f"blk.{layer}.{kind}.weight": (32, 32) for layer in range(layers) for kind in kinds}
