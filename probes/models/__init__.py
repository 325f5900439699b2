"""Model files: what model is this? One module for each format."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ..sample import ModelFacts
from .bad import BadModelFile
from .stores import locate

__all__ = ["BadModelFile", "facts", "locate"]

_REMEMBERED = 64


class Format(Protocol):
    """A format of model files, as a module."""

    @property
    def parts(self) -> Callable[[Path], list[Path]]:
        """All files that belong to the model of this path; empty if it is none of this format."""
        ...

    @property
    def read(self) -> Callable[[Path], ModelFacts]:
        """Reads the facts. Raises BadModelFile."""
        ...


FORMATS = ("gguf", "mlc", "ctranslate2", "safetensors")
"""The modules, in the order in which they are asked; one that is not reached is not loaded."""
_Identity = tuple[tuple[str, int, int, int, int], ...]
_known: dict[_Identity, ModelFacts | BadModelFile] = {}


def facts(path: str) -> ModelFacts | None:
    """What the headers of a model say; None if there is no such file or folder, or its format is not known.

    A file that has not changed is not read again.

    Raises:
        BadModelFile: it cannot be read, or is none of the format that its name says.
    """
    where = Path(path)
    for name in FORMATS if path else ():
        kind = cast("Format", import_module(f".{name}", __name__))
        try:
            identity = _identity(kind.parts(where))
            if not identity:
                continue
            found = _known.get(identity) or _read(kind, where)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise BadModelFile(path, getattr(error, "strerror", None) or str(error)) from None
        _known[identity] = found
        while len(_known) > _REMEMBERED:
            _known.pop(next(iter(_known)), None)
        if isinstance(found, BadModelFile):
            raise BadModelFile(found.path, found.why)
        return found
    return None


def _read(kind: Format, where: Path) -> ModelFacts | BadModelFile:
    try:
        return kind.read(where)
    except BadModelFile as error:
        return error


def _identity(parts: list[Path]) -> _Identity:
    """What changes when one of the files does. Raises OSError."""
    found = [(part, os.stat(part)) for part in parts]  # noqa: PTH116 # Path.stat adds nothing
    return tuple((str(part), it.st_size, it.st_mtime_ns, it.st_dev, it.st_ino) for part, it in found)
