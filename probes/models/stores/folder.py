"""Folders that people fill themselves, and which file of a folder is the model that is meant."""

import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .stored import Stored
from .typed import as_path, under_home, working_directory
from .weights import beneath

_MOST = 1000
_USUAL = "q4_k_m"
_DEPTH = 2
"""Of the folders that are listed: a folder for each model, and one for the shards of each quantisation in it."""


def model_in(folder: Path, tag: str | None = None) -> Path | None:
    """The folder itself if it is a model, else one of its GGUF files; None if it is neither.

    Repositories of GGUF files may bring the `config.json` of the model that they were made from.

    Args:
        folder: of one repository.
        tag: a quantisation, as "Q4_K_M", or a part of a file's name.
    """
    if not folder.is_dir():
        return None
    is_described = any((folder / name).is_file() for name in ("config.json", "mlc-chat-config.json"))
    if tag is None and is_described and next(folder.glob("*.safetensors"), None):
        return folder
    found = sorted(islice((path for pattern in ("*.gguf", "*/*.gguf") for path in folder.glob(pattern)), _MOST))
    found = [path for path in found if not path.name.lower().startswith("mmproj")]
    if tag is not None:
        found = [path for path in found if tag.lower() in path.name.lower()]
    usual = (path for path in found if _USUAL in path.name.lower())
    return next(usual, found[0] if found else folder if is_described and tag is None else None)


def present() -> Iterator[Stored]:
    """The models in the working directory itself, in ./models and ~/models, and in the cache of llama.cpp."""
    here = working_directory()
    places = [(here, 0), (here and here / "models", _DEPTH), (under_home("models"), _DEPTH)]
    for store, place, depth in [*(("folder", *each) for each in places), ("llama.cpp", _llama_cache(), 0)]:
        for found in beneath(place, depth) if place else ():
            yield Stored(name=as_path(found.path), path=found.path, store=store, size_bytes=found.size_bytes)


def _llama_cache() -> Path | None:
    """Where `llama-server -hf` kept its files before it took to the cache of Hugging Face (llama.cpp, pull 7826)."""
    named = os.environ.get("LLAMA_CACHE")
    if named:
        return Path(named)
    if sys.platform == "darwin":
        return under_home("Library/Caches/llama.cpp")
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache, "llama.cpp") if cache else under_home(".cache/llama.cpp")
