"""Folders of CTranslate2 (faster-whisper and kin): the size of `model.bin`, which has no table to read cheaply."""

from pathlib import Path

from ..sample import ModelFacts

_WEIGHTS = "model.bin"
_MAGIC_BYTES = 6
_LONGEST_NAME = 64


def parts(path: Path) -> list[Path]:
    """The weights of a folder, if they are of this format."""
    weights = path if path.name == _WEIGHTS else path / _WEIGHTS
    if not weights.is_file() or not (weights.parent / "config.json").is_file():
        return []
    return [weights] if _specification(weights) else []


def read(path: Path) -> ModelFacts:
    """The size and the kind of model. Raises OSError."""
    weights = path if path.name == _WEIGHTS else path / _WEIGHTS
    return ModelFacts(
        name="".join(filter(str.isprintable, weights.parent.resolve().name)),
        source="CTranslate2 model.bin: its size alone",
        path=str(path),
        architecture=_specification(weights),
        weight_bytes=weights.stat().st_size,
    )


def _specification(weights: Path) -> str | None:
    """The file begins with its version (32 bits), and the length (16 bits) and text of its kind, as "WhisperSpec"."""
    with weights.open("rb") as file:
        head = file.read(_MAGIC_BYTES + _LONGEST_NAME)
    length = int.from_bytes(head[4:6], "little")
    name = head[_MAGIC_BYTES : _MAGIC_BYTES + length].rstrip(b"\0")
    is_one = 0 < int.from_bytes(head[:4], "little") < 100 and 4 < length <= _LONGEST_NAME and name.endswith(b"Spec")
    return name.decode("ascii", "replace") if is_one and name.isascii() else None
