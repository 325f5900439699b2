"""The header of one GGUF file: its keys and its table of tensors. The weights are never touched."""

import struct
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from .cursor import ARRAY, STRING, Cursor
from .types import BLOCKS

Value = float | str | tuple[float, ...]
_VERSIONS = (2, 3)
_MOST_KEYS = 1 << 16
MOST_TENSORS = 1 << 17
_MOST_DIMENSIONS = 4
_LONGEST_TEXT = 256
_LONGEST_ARRAY = 4096
_MOST_VALUES = 1 << 18
"""Numbers and texts that are kept of one header; models have some thousand."""
_LARGEST = 1 << 62


class Tensor(Struct, frozen=True):
    """One tensor of the table."""

    name: str
    kind: str
    """Its type, as "Q4_K"; "type 99" for one that is not known here."""
    parameters: int
    bytes: int


class Header(Struct, frozen=True):
    """What one file says of itself."""

    values: dict[str, Value]
    """Numbers, short texts and short arrays of numbers."""
    tensors: list[Tensor]
    bytes: int
    """How long it is."""


class _Entry(Struct, frozen=True):
    name: str
    dimensions: list[int]
    kind: int
    offset: int


def read(path: Path) -> Header:
    """Reads the header of one file.

    Raises:
        BadModelFile: it is no GGUF, or broken, or shorter than its weights.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        cursor = Cursor(path, file, file.seek(0, 2))
        file.seek(0)
        return _parse(cursor)


def _parse(cursor: Cursor) -> Header:
    if cursor.size == 0:
        raise cursor.fail("the file is empty")
    if cursor.size < 4 or cursor.u32() != int.from_bytes(b"GGUF", "little"):
        raise cursor.fail("no GGUF file: it begins with other bytes")
    version = cursor.u32()
    if version not in _VERSIONS:
        (swapped,) = struct.unpack(">I", struct.pack("<I", version))
        if swapped in _VERSIONS:
            raise cursor.fail("a big-endian GGUF file: only little-endian ones can be read")
        raise cursor.fail(f"GGUF version {version}: only {' and '.join(map(str, _VERSIONS))} can be read")
    tensors, keys = cursor.u64(), cursor.u64()
    if tensors > MOST_TENSORS or keys > _MOST_KEYS:
        raise cursor.fail(f"a header that claims {tensors} tensors and {keys} keys")
    values: dict[str, Value] = {}
    room = _MOST_VALUES
    for _ in range(keys):
        key, value = cursor.string(_LONGEST_TEXT), _value(cursor)
        if key is not None and value is not None:
            values[key] = value
            room -= len(value) if isinstance(value, tuple) else 1
        if room < 0:
            raise cursor.fail(f"a header of more than {_MOST_VALUES} values")
    entries = [_entry(cursor) for _ in range(tensors)]
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
        raise cursor.fail(f"an alignment of {alignment} bytes")
    start = -(-cursor.position // alignment) * alignment
    return Header(values, _measure(cursor, entries, cursor.size - start), cursor.position)


def _value(cursor: Cursor) -> Value | None:
    kind = cursor.u32()
    if kind == STRING:
        return cursor.string(_LONGEST_TEXT)
    return cursor.array(_LONGEST_ARRAY) if kind == ARRAY else cursor.scalar(kind)


def _entry(cursor: Cursor) -> _Entry:
    name = cursor.string(_LONGEST_TEXT)
    count = cursor.u32()
    if name is None or count > _MOST_DIMENSIONS:
        raise cursor.fail(f"a tensor of {count} dimensions" if name else "a tensor with an endless name")
    return _Entry(name, [cursor.u64() for _ in range(count)], cursor.u32(), cursor.u64())


def _measure(cursor: Cursor, entries: list[_Entry], room: int) -> list[Tensor]:
    """Sizes of the tensors; of one whose type is not known, the space up to the next one."""
    starts = sorted({entry.offset for entry in entries if entry.offset <= room} | {max(room, 0)})
    ends = dict(pairwise(starts))
    found: list[Tensor] = []
    for entry in entries:
        parameters = 1
        for length in entry.dimensions:
            parameters *= length
        if parameters < 1:
            raise cursor.fail(f"tensor {entry.name[:80]!r} has a dimension of 0")
        if parameters > _LARGEST or entry.offset > _LARGEST:
            raise cursor.fail(f"tensor {entry.name[:80]!r} claims {parameters} weights")
        name, weights, size = BLOCKS.get(entry.kind, (f"type {entry.kind}", 0, 0))
        if weights:
            if parameters % weights:
                raise cursor.fail(f"tensor {entry.name[:80]!r}: {parameters} weights are no whole blocks of {name}")
            size *= parameters // weights
        else:
            size = ends.get(entry.offset, entry.offset) - entry.offset
        if entry.offset + size > room:
            raise cursor.fail(f"the file ends before its weights do: {entry.offset + size - room} bytes are missing")
        found.append(Tensor(entry.name, name, parameters, size))
    return found
