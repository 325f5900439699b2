"""The folder of LM Studio: publisher/repository/file.gguf, or a folder of MLX there."""

from itertools import islice
from pathlib import Path

from .folder import model_in

_PLACES = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
_MOST = 1000


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
    for place in _PLACES:
        root = Path(place).expanduser()
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


def _repositories(root: Path, name: str) -> list[Path]:
    """The repositories of this name, whoever published them; their names often end in the format."""
    meant = {name.lower(), f"{name.lower()}-gguf"}
    return [path for path in islice(root.glob("*/*"), _MOST) if path.name.lower() in meant]
