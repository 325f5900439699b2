"""Hugging Face folders: facts from `config.json` and the headers of the safetensors files beside it."""

from pathlib import Path

from msgspec.structs import replace

from ...sample import ModelFacts
from ..bad import BadModelFile
from .config import Config, load
from .facts import assemble
from .header import read as read_header
from .quantization import scheme
from .shards import Shards, shards
from .sizes import check
from .tally import Tally

_CONFIG = "config.json"
_MOST_HEADERS = 192 << 20
"""No model has longer headers, in bytes of all shards together: those of the largest known ones have some 30 MB."""
_ROW = 200
"""A tensor counts as so many bytes more, for what its row takes to read: the largest known models have some 200,000."""
_TELLING = ("model_type", "architectures")
"""A configuration of a model has one of these; other programs call their files `config.json`, too."""


def parts(path: Path) -> list[Path]:
    """The configuration and the weights of a folder, or of the folder of one of these files; empty for other paths."""
    folder = _folder(path)
    if folder is None:
        return _alone(path).files if path.suffix == ".safetensors" and path.is_file() else []
    files = shards(folder).files
    is_other = not files and next(folder.glob("*.gguf"), None)
    return [] if is_other else [folder / _CONFIG, *files]


def read(path: Path) -> ModelFacts:
    """Reads the facts of the model in a folder.

    Raises:
        BadModelFile: a file is broken.
        OSError: it cannot be read.
    """
    folder = _folder(path)
    if folder is None:
        return replace(_tell(path, Config({}), None, _alone(path)), name=path.stem)
    outer = load(folder / _CONFIG)
    if not any(outer.has(name) for name in _TELLING):
        raise BadModelFile(folder / _CONFIG, "no configuration of a language model: it names no model_type")
    return _tell(path, outer.language(), folder, shards(folder))


def _folder(path: Path) -> Path | None:
    """The folder with a configuration that a path means."""
    folder = path if path.is_dir() else path.parent
    if not (folder / _CONFIG).is_file():
        return None
    if path.is_dir() or path.name == _CONFIG:
        return folder
    return folder if path.suffix == ".safetensors" and path in shards(folder).files else None


def _alone(path: Path) -> Shards:
    """A file without a configuration, with the other shards that its name tells of."""
    found = shards(path.parent)
    return found if path in found.files and len(found.files) + found.missing > 1 else Shards([path])


def _tell(path: Path, config: Config, folder: Path | None, found: Shards) -> ModelFacts:
    check(config)
    how = scheme(config, folder)
    tally, room, here = Tally(config.layers, how), _MOST_HEADERS, len(found.files)
    for shard in found.files:
        tensors, size = read_header(shard, room)
        tally.add(tensors)
        room -= size + _ROW * len(tensors)
    source = "safetensors headers" if found.files else "config.json alone: parameters by arithmetic"
    if found.missing:
        source += f", {found.missing} of {here + found.missing} shards missing"
    if not found.files:
        return assemble(path, config, None, how, source)
    return assemble(path, config, tally, how, source, shards=here + found.missing, missing=found.missing)
