"""The process that puts limits back when llmtop is gone: `python -m llmtop.probes.limits.watchdog JOURNAL`.

Its input is a pipe that only llmtop holds. Each line is the state that the journal holds as well. It opens the limits
that the first line names, says "ready", and sleeps. When the pipe closes, as it does however llmtop ends, it puts back
what the last line tells, removes the journal and ends. It needs no terminal, no folder and no disk for that.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from msgspec.structs import replace

from .contract import Forbidden, Limit, LimitError
from .giving_back import give_back
from .journal import Entry, Journal, State, parse
from .opened import opened

_PERSISTENCE_S = 60.0
"""Seconds during which a limit is tried again whose driver hangs or refuses."""
_PAUSE_S = 0.2
_PAUSE_MOST_S = 2.0
_SECOND_LOOK_S = 0.4
"""Seconds after which one is looked at again that was being written when llmtop ended."""
_READ = 1 << 16


def main() -> int:
    """Watches until the pipe closes."""
    _outlive()
    lines = _Lines()
    first = lines.next()
    if first is None:
        return 0
    limits = [opened(entry) for entry in first.entries]
    try:
        for limit in limits:
            limit.read()
    except LimitError as error:
        _say(f"no {error}")
        return 1
    _say("ready")
    last = first
    while (state := lines.next()) is not None:
        last = state
    if not last.clean:
        _give_all_back(last, limits, Journal(Path(sys.argv[1])))
    return 0


class _Lines:
    """The states that come through the pipe; half a line at its end was never acted upon."""

    def __init__(self) -> None:
        self._rest = b""

    def next(self) -> State | None:
        """The next one; None when the pipe is closed."""
        while b"\n" not in self._rest:
            try:
                piece = os.read(0, _READ)
            except OSError:
                return None
            if not piece:
                return None
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\n")
        return parse(text) or self.next()


class _Return(Thread):
    """One limit on its way back, in a thread of its own: a driver that hangs keeps no other waiting."""

    def __init__(self, limit: Limit, entry: Entry, until: float) -> None:
        super().__init__(daemon=True)
        self.entry = entry
        self.done = False
        self._limit = limit
        self._until = until

    def run(self) -> None:
        looks = 1 if self.entry.pending_w is None else 2
        pause_s = _PAUSE_S
        while looks and time.monotonic() < self._until:
            try:
                give_back(self._limit, self.entry)
            except Forbidden:
                return
            except LimitError:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_MOST_S)
                continue
            looks -= 1
            if looks:
                time.sleep(_SECOND_LOOK_S)
        self.done = not looks


def _give_all_back(state: State, limits: Sequence[Limit], journal: Journal) -> None:
    until = time.monotonic() + _PERSISTENCE_S
    returns = [_Return(limit, entry, until) for limit, entry in zip(limits, state.entries, strict=True)]
    for each in returns:
        each.start()
    for each in returns:
        each.join(max(until - time.monotonic(), 0.0))
    left = tuple(each.entry for each in returns if not each.done)
    with suppress(OSError):  # its folder may be gone or full
        journal.write(replace(state, entries=left))


def _outlive() -> None:
    """What ends llmtop does not end this; nor does a machine that runs out of memory, where root may say so."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-1000", "ascii")
    with suppress(OSError):
        os.chdir("/")


def _say(word: str) -> None:
    with suppress(OSError):
        os.write(1, f"{word}\n".encode())


if __name__ == "__main__":
    status = main()
    os._exit(status)  # a thread may hang in a driver
