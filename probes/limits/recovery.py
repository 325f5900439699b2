"""Puts back what an llmtop left behind whose watchdog ended with it, as in a power cut."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from .contract import Forbidden, LimitError, Vanished
from .giving_back import give_back
from .journal import Entry, Journal, State
from .left import journals_left
from .lock import DeviceLock, Locked
from .opened import opened

_WATCHDOG_S = 2.0
"""Seconds to wait for the watchdog of an llmtop that has just ended."""
_PAUSE_S = 0.05


def recover(*, everything: bool = False, folders: Sequence[Path] | None = None) -> tuple[str, ...]:
    """Puts back what was left, and says what it did, a sentence a limit.

    A limit that somebody set since is left as it is. What cannot be put back now is kept for the next time.

    Args:
        everything: Also says what is of no interest to somebody who did not ask: devices that are not there, an llmtop
            that tunes at this moment.
        folders: Where to look; None means the folder of the user and that of root.
    """
    return tuple(sentence for path in journals_left(folders) for sentence in _recover(path, everything=everything))


def _recover(path: Path, *, everything: bool) -> list[str]:
    journal = Journal(path)
    state = journal.read()
    if state is None:
        told = everything and path.exists()
        return [f"{path} is no journal of this version of llmtop; see what it says, and remove it"] if told else []
    locks: list[DeviceLock] = []
    try:
        locks = _lock(state, path.parent)
        # Its owner may have come to a good end in the meantime.
        state = journal.read()
        return _give_back(state, journal, everything=everything) if state else []
    except LimitError as error:
        return [str(error)] if everything else []
    finally:
        for lock in locks:
            lock.release()


def _lock(state: State, folder: Path) -> list[DeviceLock]:
    """Nobody else has the devices then: neither the owner, nor its watchdog, nor another that recovers."""
    until = time.monotonic() + _WATCHDOG_S
    create = os.access(folder, os.W_OK)
    while True:
        locks: list[DeviceLock] = []
        try:
            for entry in state.entries:
                locks.append(DeviceLock(entry.address, entry.name, folder, create=create))  # noqa: PERF401 - to release
        except LimitError as error:
            for lock in locks:
                lock.release()
            if not isinstance(error, Locked) or _alive(state.pid) or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE_S)
        else:
            return locks


def _give_back(state: State, journal: Journal, *, everything: bool) -> list[str]:
    left: list[Entry] = []
    sentences: list[str] = []
    removable = os.access(journal.path.parent, os.W_OK)
    when = _when(state.at)
    for entry in state.entries:
        limit = opened(entry)
        try:
            outcome = give_back(limit, entry)
        except Vanished as error:
            left.append(entry)
            if everything:
                sentences.append(f"{error}; it was to be put back to {entry.original_w:g} W")
        except Forbidden:
            left.append(entry)
            sentences.append(
                f"{entry.name}: an llmtop that tuned it was cut off after {when} and left its power limit changed; "
                f"{limit.command(entry.original_w)} puts it back"
            )
        except LimitError as error:
            left.append(entry)
            sentences.append(f"{error}; {limit.command(entry.original_w)} puts back what an llmtop changed")
        else:
            if outcome.kind == "put back":
                sentences.append(
                    f"{entry.name}: power limit put back to {outcome.now_w:g} W; "
                    f"an llmtop that tuned it was cut off after {when}"
                )
            elif outcome.kind == "not ours" and removable:
                sentences.append(
                    f"{entry.name}: power limit left at {outcome.now_w:g} W, which somebody set "
                    f"since an llmtop that tuned it was cut off after {when}"
                )
    with suppress(OSError):
        journal.write(replace(state, entries=tuple(left)))
    return sentences


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _when(at: float) -> str:
    """The time of the day; with the day where it is another."""
    then = time.localtime(at)
    same = time.strftime("%F", then) == time.strftime("%F")
    return time.strftime("%H:%M" if same else "%H:%M on %F", then)
