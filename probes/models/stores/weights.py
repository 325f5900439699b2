"""Which models lie in a folder, by the names and sizes of its files: no file is opened."""

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

_MOST_ENTRIES = 2000
"""Of one folder; the largest models have some 200 shards."""
_MOST_FOLDERS = 500
"""Of one walk."""
_GGUF_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE | re.DOTALL)
_TENSOR_SHARD = re.compile(r"(.+)-(\d{1,6})-of-(\d{1,6})\.safetensors", re.DOTALL)
_UNDERWAY = (".aria2", ".part", ".partial", ".incomplete", ".downloadInProgress", ".crdownload")
"""What programs put behind the name of a file that they are still fetching, or of the note that they keep beside it:
aria2, LM Studio and browsers, Ollama, Hugging Face, llama.cpp."""
_DRAFT = re.compile(r"(?:^|[-_. ])(?:draft|drafter|eagle3?|speculator)(?:$|[-_. ])|^mtp-", re.IGNORECASE)
_PIECE = re.compile(
    r"(?:^|[-_. ])(?:mmproj|lora|adapter|imatrix|control[-_]?vector)(?:$|[-_. ])|^(?:ggml-vocab-|downloading_)",
    re.IGNORECASE,
)
"""Projectors of images, what goes on top of a model, statistics, vocabularies."""
_PIECES = ("consolidated", "adapter", "training", "optimizer")
"""Safetensors files beside a model: another copy of it, or what goes on top."""


class Weights(NamedTuple):
    """The weights of one model: the path that stands for them, and their bytes."""

    path: Path
    size_bytes: int
    is_file: bool


def is_draft(name: str) -> bool:
    """Whether a file or repository of this name only drafts for another model."""
    return bool(_DRAFT.search(name.rsplit("/", 1)[-1]))


def beneath(root: Path, depth: int) -> Iterator[Weights]:
    """The models in a folder and in those beneath it, `depth` steps down; what cannot be read is left out."""
    waiting = [(root, depth)]
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        folder, deeper = waiting.pop(0)
        files, folders = contents(folder)
        yield from models_in(folder, files)
        if deeper:
            waiting += [(folder / name, deeper - 1) for name in folders]


def contents(folder: Path) -> tuple[dict[str, int], list[str]]:
    """The files of a folder with their bytes, and the folders in it, without the hidden ones, by name.

    Links count as what they lead to; those that lead nowhere, pipes and devices are left out. Both are empty where the
    folder cannot be read.
    """
    files: dict[str, int] = {}
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _MOST_ENTRIES):
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        folders.append(entry.name)
                    elif entry.is_file():
                        files[entry.name] = entry.stat().st_size
                except OSError:
                    continue
    except OSError:
        pass
    return dict(sorted(files.items())), sorted(folders)


def models_in(folder: Path, files: dict[str, int]) -> Iterator[Weights]:
    """The models among the files of a folder: the folder itself, if it is one, and each GGUF file."""
    size_bytes = _folder_bytes(files)
    if size_bytes:
        yield Weights(folder, size_bytes, is_file=False)
    names = [name for name in files if name.lower().endswith(".gguf") and files[name]]
    names = [name for name in names if not is_draft(name) and not _PIECE.search(name)]
    names = [name for name in names if not any(name + ending in files for ending in _UNDERWAY)]
    for shards in _models(names, _GGUF_SHARD):
        yield Weights(folder / shards[0], sum(files[name] for name in shards), is_file=True)


def _folder_bytes(files: dict[str, int]) -> int | None:
    """Bytes of a model in the layout of Hugging Face or of MLC LLM, if all of it is there."""
    if "mlc-chat-config.json" in files and files.keys() & {"tensor-cache.json", "ndarray-cache.json"}:
        return sum(size for name, size in files.items() if name.startswith("params_shard_")) or None
    if "config.json" not in files:
        return None
    every = [name for name in files if name.endswith(".safetensors")]
    own = [name for name in every if not name.startswith(_PIECES)]
    names = own or [name for name in every if name.startswith(_PIECES[0])]
    numbered = [name for name in names if _TENSOR_SHARD.fullmatch(name)]
    if numbered:
        whole = [*_models(numbered, _TENSOR_SHARD), list[str]()]
        chosen = max(whole, key=lambda shards: (bool(shards) and shards[0].startswith("model"), len(shards)))
    else:
        chosen = ["model.safetensors"] if "model.safetensors" in names else names
    return sum(files[name] for name in chosen) or None


def _models(names: Iterable[str], shard: re.Pattern[str]) -> Iterator[list[str]]:
    """The names of the files of each model, in order, if no shard of it is missing."""
    sets: dict[tuple[str, int], list[str]] = {}
    for name in names:
        match = shard.fullmatch(name)
        if match is None:
            yield [name]
        else:
            sets.setdefault((match[1], int(match[3])), []).append(name)
    for (_, count), found in sets.items():
        if len(found) == count:
            yield found
