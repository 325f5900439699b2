"""All models on this machine, in the stores that are known."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Thread

from msgspec.structs import replace

from . import folder, huggingface, lmstudio, ollama
from .stored import Stored
from .typed import as_path, is_name, is_path, is_text

Store = Callable[[], Iterator[Stored]]
STORES: tuple[Store, ...] = (huggingface.present, lmstudio.present, ollama.present, folder.present)
"""In the order in which `locate` asks them: what two of them call alike is the former's."""
_Identity = tuple[int, int]


def present(patience_s: float = 2.0, stores: Sequence[Store] = STORES) -> list[Stored]:
    """The models of all stores, each once, by store and name.

    Nothing is opened but Ollama's manifests and the settings of LM Studio: what a file holds, and whether it is a
    language model at all, is for `facts` to say. It takes milliseconds. Each store is looked at in a thread of its
    own, so that one on a share that does not answer delays the others by no more than the patience; of such a store
    comes what was found until then.

    Args:
        patience_s: how long to wait for all of them.
        stores: which to look at.
    """
    end = time.monotonic() + patience_s
    found: list[list[tuple[_Identity, Stored]]] = [[] for _ in stores]
    looks = [Thread(target=_look, args=each, daemon=True) for each in zip(stores, found, strict=True)]
    for look in looks:
        look.start()
    for look in looks:
        look.join(max(0.0, end - time.monotonic()))
    every = (sorted(part, key=lambda pair: pair[1].name.casefold()) for part in found)
    return list(_once(pair for part in every for pair in part))


def _look(store: Store, found: list[tuple[_Identity, Stored]]) -> None:
    try:
        for stored in store():
            identity = _identity(stored.path)
            if identity is not None:
                found.append((identity, stored))
    except (OSError, RuntimeError):  # RuntimeError: nobody's home, or links in a circle
        return


def _once(every: Iterable[tuple[_Identity, Stored]]) -> Iterator[Stored]:
    """Each model by the first way that leads to it, and each name for the first model that has it."""
    files: set[_Identity] = set()
    names: set[str] = set()
    for identity, stored in every:
        if identity in files:
            continue
        files.add(identity)
        key = stored.name.removeprefix("hf.co/")
        is_own = is_path(stored.name) or (is_name(stored.name) and key not in names)
        name = stored.name if is_own else as_path(stored.path)
        if is_text(name):
            names.add(key)
            yield replace(stored, name=name)


def _identity(path: Path) -> _Identity | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino
