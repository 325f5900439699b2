"""Where llmtop keeps what must outlive it: the journals of changed limits, and the locks of devices."""

import os
from pathlib import Path

from .contract import LimitError

SYSTEM = Path("/var/lib/llmtop")
"""That of root, into which everybody looks."""


def state_folder() -> Path:
    """The folder of this user, as `platformdirs.user_state_path` tells it on Linux, without the price of its import."""
    given = os.environ.get("XDG_STATE_HOME", "").strip()
    if given:
        return Path(given) / "llmtop"
    if os.geteuid() == 0:
        return SYSTEM
    return Path(os.path.expanduser("~/.local/state/llmtop"))  # noqa: PTH111 - `Path.home` raises where there is none


def state_folders() -> tuple[Path, ...]:
    """Where something may have been left, the user's own folder first."""
    own = state_folder()
    return (own,) if own == SYSTEM else (own, SYSTEM)


def prepare(folder: Path) -> None:
    """Makes it, for everybody to read: another user's llmtop has to see what was left there.

    Raises:
        LimitError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise LimitError(f"{folder} cannot be made: {error.strerror}; without it no limit is changed") from None


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file whole: after a power cut it holds the old or the new content.

    Raises:
        OSError: it cannot be written; the old one is as it was.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            left = content
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def remove_file(path: Path) -> None:
    """Removes a file for good, if it is there.

    Raises:
        OSError: it cannot be removed.
    """
    path.unlink(missing_ok=True)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)
