"""JSON objects out of files that may hold anything: bounded, and understood one value at a time."""

import re
from pathlib import Path
from typing import TypeVar

from msgspec import DecodeError, Raw
from msgspec.json import Decoder

from ..bad import BadModelFile

_BARE = re.compile(rb"(?<=[:,\[\s])-?(?:Infinity|NaN)(?=\s*[,\]}])")
"""Python writes these words for numbers that JSON does not have."""
BEYOND = -1e300
"""What they are read as: a number, but none that means anything."""

Scalar = bool | int | float | str | None
T = TypeVar("T")

OBJECT = Decoder(dict[str, Raw])
OBJECTS = Decoder(list[dict[str, Raw]])
TEXTS = Decoder(dict[str, str])
_SCALAR = Decoder(Scalar)
_ITEMS = Decoder(list[Scalar])


def read_object(path: Path, limit: int) -> dict[str, Raw]:
    """The object that a file holds, its values not yet understood.

    Raises:
        BadModelFile: it has more bytes than `limit`, or is no JSON object.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise BadModelFile(path, f"a JSON file of more than {limit >> 20} MiB")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return OBJECT.decode(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return OBJECT.decode(_BARE.sub(b"-1e300", data))
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadModelFile(path, f"no JSON object: {error}") from None
    except RecursionError:
        raise BadModelFile(path, "a JSON file that is nested too deep") from None


def understood(decoder: Decoder[T], raw: Raw | None) -> T | None:
    """A value as what it is meant to be; None if it is something else."""
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None


def plain(raw: Raw | None) -> Scalar | list[Scalar]:
    """A number, a text, a yes or no, or a list of such; None for all else."""
    if raw is not None and bytes(memoryview(raw)[:1]) == b"[":
        return understood(_ITEMS, raw)
    return understood(_SCALAR, raw)
