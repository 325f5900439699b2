"""Whether an llmtop left limits changed: what every start looks at, so it costs next to nothing."""

import os
from collections.abc import Sequence
from pathlib import Path

from .folder import state_folders

BEGIN, END = "tune-", ".json"
"""Of the names of journals."""


def journals_left(folders: Sequence[Path] | None = None) -> list[Path]:
    """The journals that are there, also those of an llmtop that is tuning now. `folders` are those of the user.

    Only what this user or root wrote counts: root does not act on what others say.
    """
    found: list[Path] = []
    for folder in state_folders() if folders is None else folders:
        try:
            names = os.listdir(folder)  # noqa: PTH208 - a third of the time of `iterdir`
        except OSError:
            continue
        found += [folder / name for name in sorted(names) if name.startswith(BEGIN) and name.endswith(END)]
    return [path for path in found if _trusted(path)]


def _trusted(path: Path) -> bool:
    try:
        return path.lstat().st_uid in {0, os.geteuid()}
    except OSError:
        return False
