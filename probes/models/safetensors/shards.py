"""Which files of a folder hold the weights of one model."""

import re
from pathlib import Path

from msgspec import Struct

from ..bad import BadModelFile
from .objects import TEXTS, read_object, understood

_SHARD = re.compile(r"(.*)-(\d{1,6})-of-(\d{1,6})\.safetensors", re.DOTALL)
_OTHERS = ("consolidated", "adapter", "training", "optimizer")
"""Files beside the model: another copy of it, or a piece that goes on top."""
_INDEX = "model.safetensors.index.json"
_MOST = 2000
INDEX_LIMIT = 16 << 20


class Shards(Struct, frozen=True):
    """The files that are there, in order of their names, and how many are not."""

    files: list[Path]
    missing: int = 0


def shards(folder: Path) -> Shards:
    """The shards of the model in a folder; none if it has no safetensors files.

    Their names tell how many there are; only where they do not, the index is read.

    Raises:
        BadModelFile: that index is broken, or what has such a name is a folder, a pipe, or a link that leads nowhere.
        OSError: the folder cannot be read.
    """
    entries = sorted(folder.glob("*.safetensors"))[:_MOST]
    names = [path.name for path in entries if path.is_file()]
    if entries and not names:
        raise BadModelFile(entries[0], "no regular file")
    numbered = _numbered(names)
    if numbered:
        return Shards([folder / name for name in numbered[0]], numbered[1])
    index = folder / _INDEX
    if index.is_file() and index.stat().st_size <= INDEX_LIMIT:
        listed = {name for name in _indexed(index) if "/" not in name}
        here = sorted(listed & set(names))
        return Shards([folder / name for name in here], len(listed) - len(here))
    if "model.safetensors" in names:
        names = ["model.safetensors"]
    own = [name for name in names if not name.startswith(_OTHERS)] or [n for n in names if n.startswith(_OTHERS[0])]
    return Shards([folder / name for name in own])


def _numbered(names: list[str]) -> tuple[list[str], int] | None:
    """The names of the best numbered set, and how many of it are missing."""
    sets: dict[tuple[str, int], list[str]] = {}
    for name in names:
        match = _SHARD.fullmatch(name)
        if match and 0 < int(match[2]) <= int(match[3]) <= _MOST:
            sets.setdefault((match[1], int(match[3])), []).append(name)
    if not sets:
        return None
    best = max(sets, key=lambda key: (key[0].startswith("model"), not key[0].startswith(_OTHERS), len(sets[key])))
    return sets[best], best[1] - len(sets[best])


def _indexed(index: Path) -> set[str]:
    return set((understood(TEXTS, read_object(index, INDEX_LIMIT).get("weight_map")) or {}).values())
