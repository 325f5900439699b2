"""The cache of Hugging Face: `models--ORG--NAME/snapshots/REVISION`, in which files are links to blobs."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .folder import model_in
from .stored import Stored
from .typed import as_path, tags
from .weights import Weights, beneath, is_draft

_REVISION = re.compile(r"[\w-][\w.-]{0,127}")
_MOST_SNAPSHOTS = 100
_MOST_REPOSITORIES = 2000
_MODELS = "models--"


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
        repository = hub / f"{_MODELS}{name.replace('/', '--')}"
        path = _meant(_snapshots(repository), tag or None) if repository.is_dir() else None
        if path is not None:
            return path
    return None


def present() -> Iterator[Stored]:
    """The models in the cache: those whose weights are there, of GGUF repositories each file.

    A model of which the cache holds several revisions is listed once, as `main` has it, else as the newest.
    """
    known: set[str] = set()
    for hub in _hubs():
        try:
            repositories = sorted(islice(hub.glob(f"{_MODELS}*"), _MOST_REPOSITORIES))
        except OSError:
            continue
        for repository in repositories:
            name = repository.name.removeprefix(_MODELS).replace("--", "/", 1)
            try:
                found = [] if is_draft(name) else list(_stored(name, repository, is_first=name not in known))
            except OSError:  # a repository that another user fetched, as one does in a container
                found = []
            known.add(name)
            yield from found


def _stored(name: str, repository: Path, *, is_first: bool) -> Iterator[Stored]:
    snapshots = list(dict.fromkeys(_snapshots(repository)))
    models: dict[Path, Weights] = {}
    for snapshot in snapshots:
        for weights in beneath(snapshot, 1):
            if weights.path == snapshot or weights.is_file:
                models.setdefault(weights.path.relative_to(snapshot), weights)
    for weights in models.values():
        wanted = [""] if len(models) == 1 or weights.path in snapshots else []
        names = ((f"{name}:{tag}" if tag else name, tag) for tag in (*wanted, *tags(weights.path.name)))
        called = (said for said, tag in names if is_first and _meant(snapshots, tag or None) == weights.path)
        said = next(called, None) or as_path(weights.path)
        yield Stored(name=said, path=weights.path, store="Hugging Face", size_bytes=weights.size_bytes)


def _meant(snapshots: list[Path], tag: str | None) -> Path | None:
    found = (model_in(snapshot, tag) for snapshot in snapshots)
    return next((path for path in found if path is not None), None)


def _hubs() -> list[Path]:
    """The places that the library looks at, in its order."""
    named = [os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")]
    homes = [os.environ.get("HF_HOME"), _under(os.environ.get("XDG_CACHE_HOME")), "~/.cache/huggingface"]
    places = [Path(name) for name in named if name] + [Path(home) / "hub" for home in homes if home]
    return list(dict.fromkeys(place.expanduser() for place in places))


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
