"""The folder of LM Studio: publisher/repository/file.gguf, or a folder of MLX there."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from .folder import model_in
from .stored import Stored
from .weights import beneath, contents

_HOMES = ("~/.lmstudio", "~/.cache/lm-studio")
_POINTER = "~/.lmstudio-home-pointer"
"""Names the home, where it is another (lmstudio.js, findLMStudioHome)."""
_SETTINGS_LIMIT = 1 << 20
_MOST = 1000


class _Settings(Struct):
    downloadsFolder: str = ""  # noqa: N815 # the name in the file


_settings = Decoder(_Settings).decode


def locate(name: str) -> Path | None:
    """The model of a repository, or one file of it.

    Args:
        name: "publisher/repo", "publisher/repo/file.gguf", or the name of a repository alone; with a part of the file's
            name behind a colon, or not.

    Raises:
        OSError: a folder cannot be read.
    """
    name, _, tag = name.partition(":")
    words = name.split("/")
    for root in _roots():
        if not root.is_dir():
            continue
        path = root.joinpath(*words)
        if len(words) > 2 and path.is_file():
            return path
        folders = [path] if len(words) > 1 else _repositories(root, words[0])
        found = next(filter(None, (model_in(folder, tag or None) for folder in folders)), None)
        if found is not None:
            return found
    return None


def present() -> Iterator[Stored]:
    """The GGUF files, and the folders of MLX and of others in the layout of Hugging Face."""
    for root in _roots():
        for publisher in contents(root)[1]:
            for found in beneath(root / publisher, 2):
                words = found.path.relative_to(root).parts
                if len(words) > 1:
                    name = "/".join(words)
                    yield Stored(name=name, path=found.path, store="LM Studio", size_bytes=found.size_bytes)


def _roots() -> list[Path]:
    """The folders of models: that of the settings, and those of the homes."""
    homes = [Path(home).expanduser() for home in _HOMES]
    named = _read(Path(_POINTER).expanduser()).decode("utf-8", "replace").strip()
    if named.isprintable() and Path(named).is_absolute():
        homes.insert(0, Path(named))
    return list(dict.fromkeys([*filter(None, map(_chosen, homes)), *(home / "models" for home in homes)]))


def _chosen(home: Path) -> Path | None:
    """The folder that a person has chosen for the models."""
    try:
        folder = _settings(_read(home / "settings.json")).downloadsFolder
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Path(folder) if folder.isprintable() and Path(folder).is_absolute() else None


def _read(path: Path) -> bytes:
    """Of a small file; nothing if there is none."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(_SETTINGS_LIMIT)
    except OSError:
        pass
    return b""


def _repositories(root: Path, name: str) -> list[Path]:
    """The repositories of this name, whoever published them; their names often end in the format."""
    meant = {name.lower(), f"{name.lower()}-gguf"}
    return [path for path in islice(root.glob("*/*"), _MOST) if path.name.lower() in meant]
