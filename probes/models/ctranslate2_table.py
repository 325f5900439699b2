"""The tensors of a CTranslate2 `model.bin`: each has its name and shape before its bytes, which are passed over.

Layout of binary version 6 (`ctranslate2/specs/model_spec.py`, `ModelSpec._serialize`), little endian:

    u32 version, text kind, u32 revision, u32 count
    count times: text name, u8 rank, rank x u32 dimensions, u8 type, u32 bytes, the bytes
    u32 count, count times: text alias, text name

A text is its length with a closing zero (u16) and its bytes.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from .bad import BadModelFile

VERSION = 6
TYPES = ("F32", "INT8", "INT16", "INT32", "F16", "BF16")
"""By number, as `DataType` of include/ctranslate2/types.h has them."""
_SIZES = (4, 1, 2, 4, 2, 2)
_MOST = 100_000
_RANKS = 8


class Tensor(Struct, frozen=True):
    """One of them."""

    shape: tuple[int, ...]
    type: str
    size_bytes: int
    value: int | None = None
    """Of a whole number that stands alone: a setting of the model."""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for dimension in self.shape:
            count *= dimension
        return count


class Table(Struct, frozen=True):
    """All of a file."""

    kind: str
    """"TransformerDecoderSpec", "WhisperSpec"."""
    tensors: dict[str, Tensor]
    aliases: dict[str, str]
    """Names that stand for another one's tensor."""


def table(path: Path) -> Table | None:
    """The table of a file; None for another version of the format.

    Raises:
        OSError: it cannot be read.
        BadModelFile: it is cut off, or says what cannot be.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if _number(file, "<I") != VERSION:
            return None
        try:
            kind = _text(file)
            _number(file, "<I")
            tensors = dict(_tensor(file, size) for _ in range(_count(file)))
            aliases = {_text(file): _text(file) for _ in range(_count(file))}
        except (struct.error, UnicodeDecodeError):
            raise BadModelFile(str(path), "its table of tensors is cut off or broken") from None
        except ValueError as error:
            raise BadModelFile(str(path), str(error)) from None
    return Table(kind=kind, tensors=tensors, aliases=aliases)


def _tensor(file: BinaryIO, size: int) -> tuple[str, Tensor]:
    name = _text(file)
    rank = _number(file, "<B")
    if rank > _RANKS:
        raise ValueError(f"a tensor of {rank} dimensions")
    shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
    kind, length = _number(file, "<B"), _number(file, "<I")
    start = file.tell()
    if kind >= len(TYPES) or start + length > size:
        raise ValueError("its table of tensors is cut off or broken")
    tensor = Tensor(shape=shape, type=TYPES[kind], size_bytes=length)
    if tensor.elements * _SIZES[kind] != length:
        raise ValueError("a tensor whose bytes do not match its shape")
    if rank == 0 and TYPES[kind].startswith("INT"):
        tensor = Tensor(
            shape=shape, type=TYPES[kind], size_bytes=length, value=int.from_bytes(file.read(length), "little")
        )
    file.seek(start + length)
    return name, tensor


def _count(file: BinaryIO) -> int:
    count = _number(file, "<I")
    if count > _MOST:
        raise ValueError(f"{count} tensors")
    return count


def _text(file: BinaryIO) -> str:
    length = _number(file, "<H")
    text = file.read(length)
    if len(text) < length:
        raise struct.error
    return text.rstrip(b"\0").decode()


def _number(file: BinaryIO, layout: str) -> int:
    (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return int(value)
