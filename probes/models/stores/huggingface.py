"""The cache of Hugging Face: `models--ORG--NAME/snapshots/REVISION`, in which files are links to blobs."""

import os
import re
from itertools import islice
from pathlib import Path

from .folder import model_in

_REVISION = re.compile(r"[\w-][\w.-]{0,127}")
_MOST_SNAPSHOTS = 100


def locate(name: str) -> Path | None:
    """The snapshot of a repository that `main` names, else the newest; for GGUF repositories one file of it.

    Args:
        name: "org/model" or "model", with a quantisation behind a colon, or not; a host before it is dropped.

    Raises:
        OSError: a folder cannot be read.
    """
    name, _, tag = name.partition(":")
    name = name.removeprefix("hf.co/").removeprefix("huggingface.co/")
    if not 1 <= len(name.split("/")) <= 2:
        return None
    for hub in _hubs():
        repository = hub / f"models--{name.replace('/', '--')}"
        if repository.is_dir():
            found = (model_in(snapshot, tag or None) for snapshot in _snapshots(repository))
            path = next((path for path in found if path is not None), None)
            if path is not None:
                return path
    return None


def _hubs() -> list[Path]:
    """The places that the library looks at, in its order."""
    named = [os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")]
    homes = [os.environ.get("HF_HOME"), _under(os.environ.get("XDG_CACHE_HOME")), "~/.cache/huggingface"]
    places = [Path(name) for name in named if name] + [Path(home) / "hub" for home in homes if home]
    return [place.expanduser() for place in places]


def _under(cache: str | None) -> str | None:
    return f"{cache}/huggingface" if cache else None


def _snapshots(repository: Path) -> list[Path]:
    folder, reference = repository / "snapshots", repository / "refs" / "main"
    if not folder.is_dir():
        return []
    newest = sorted(islice(folder.iterdir(), _MOST_SNAPSHOTS), key=lambda path: path.lstat().st_mtime, reverse=True)
    if reference.is_file():
        with reference.open("rb") as file:
            revision = file.read(256).decode("ascii", "replace").strip()
        if _REVISION.fullmatch(revision):
            return [folder / revision, *newest]
    return newest
