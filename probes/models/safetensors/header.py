"""The header of one safetensors file: which tensors it holds, and where. The weights are never touched.

The format: 8 bytes that say how long the header is, the header as a JSON object, then the weights; `data_offsets` count
from the end of the header (https://github.com/huggingface/safetensors, README).
"""

from math import prod
from pathlib import Path

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from ..bad import BadModelFile

LIMIT = 32 << 20
"""No header is longer, in bytes: the longest known ones have some 15 MB."""
_MOST_TENSORS = 1 << 19
"""Models in one file have some thousand; those of the most experts some 200,000, in many files."""
_MOST_DIMENSIONS = 8
_LARGEST = 1 << 62
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element, by type."""


class Tensor(Struct, frozen=True, gc=False):
    """One entry."""

    dtype: str = ""
    shape: tuple[int, ...] = ()
    data_offsets: tuple[int, int] = (0, 0)

    @property
    def elements(self) -> int:
        """Product of the shape."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """As stored."""
        return self.data_offsets[1] - self.data_offsets[0]


_decode = Decoder(dict[str, Tensor]).decode
_decode_rows = Decoder(dict[str, Raw]).decode
_decode_row = Decoder(Tensor).decode
_METADATA = "__metadata__"


def read(path: Path, room: int = LIMIT) -> tuple[dict[str, Tensor], int]:
    """The tensors of one file, by name, and how long its header is in bytes.

    Args:
        path: of the file.
        room: bytes that the header may have, if those are fewer than `LIMIT`.

    Raises:
        BadModelFile: it is no safetensors file, or broken, or shorter than its weights.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise BadModelFile(path, f"no safetensors file: a header of {length} bytes in a file of {size}")
        if length > min(LIMIT, room):
            whole = (
                f"a header of more than {LIMIT >> 20} MiB" if length > LIMIT else "headers without end in its shards"
            )
            raise BadModelFile(path, whole)
        data = file.read(length)
    if data.count(b"{") > _MOST_TENSORS or data.count(b",") > _MOST_TENSORS * _MOST_DIMENSIONS:
        raise BadModelFile(path, f"a header of more than {_MOST_TENSORS} tensors")
    try:
        found = _table(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadModelFile(path, f"its header is no table of tensors: {error}") from None
    except RecursionError:
        raise BadModelFile(path, "its header is nested too deep") from None
    for name, tensor in found.items():
        why = _fault(tensor, size - 8 - length)
        if why:
            raise BadModelFile(path, f"tensor {name[:80]!r} {why}")
    _check_overlaps(path, found, size - 8 - length)
    return found, length


def _table(data: bytes) -> dict[str, Tensor]:
    """The entries; free texts in the metadata may have the names of their fields."""
    try:
        found = _decode(data)
    except ValidationError:
        rows = _decode_rows(data)
        if _METADATA not in rows:
            raise
        return {name: _decode_row(row) for name, row in rows.items() if name != _METADATA}
    found.pop(_METADATA, None)
    return found


def _fault(tensor: Tensor, room: int) -> str | None:
    """What is wrong with a tensor in a file with `room` bytes of weights."""
    start, end = tensor.data_offsets
    if len(tensor.shape) > _MOST_DIMENSIONS or (tensor.shape and min(tensor.shape) < 0):
        return f"has the shape {str(tensor.shape)[:80]}"
    count, bits = tensor.elements, _BITS.get(tensor.dtype)
    if count > _LARGEST:
        return f"claims {count} weights"
    if not 0 <= start <= end:
        return f"lies from {start} to {end}"
    if end > room:
        return f"ends after the file: {end - room} bytes are missing"
    if bits and count * bits != (end - start) * 8:
        return f"has {end - start} bytes for {count} {tensor.dtype}"
    return None


def _check_overlaps(path: Path, found: dict[str, Tensor], room: int) -> None:
    """Weights that lie in two tensors at once would be counted twice."""
    if sum(tensor.bytes for tensor in found.values()) <= room:
        return
    raise BadModelFile(path, f"its tensors overlap: together they have more than the {max(room, 0)} bytes of the file")
