"""The watchdog as the process that it guards sees it: started, told, replaced when it dies, and ended."""

import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock, Thread

from .contract import LimitError

_START_S = 15.0
"""Seconds that it may take to open the limits: a driver wakes a GPU in some."""
_DEAF_S = 2.0
"""Seconds until one that does not read what it is told counts as dead."""
_END_S = 3.0
_DEATHS, _WITHIN_S = 5, 60.0
"""So many deaths in so many seconds are no accident."""


class Guard:
    """One watchdog at a time."""

    def __init__(self, journal: Path, locks: Sequence[int], lost: Callable[[str], None]) -> None:
        """`locks` are the files that it inherits. `lost` is called, in a thread, when there is none any more."""
        self.remarks: list[str] = []
        self._journal = journal
        self._locks = tuple(locks)
        self._lost = lost
        self._lock = RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line = b""
        self._deaths: deque[float] = deque(maxlen=_DEATHS)

    @property
    def pid(self) -> int | None:
        """Of the one that watches now."""
        process = self._process
        return process.pid if process else None

    def start(self, line: bytes) -> None:
        """Starts it, and returns when it has opened the limits.

        Raises:
            LimitError: it does not start; nothing watches.
        """
        with self._lock:
            self._line = line
            self._start()

    def tell(self, line: bytes) -> None:
        """Tells it the state; returns when that is in the pipe, from which it reads it whatever happens here.

        Raises:
            LimitError: it is gone, and no other can be started.
        """
        with self._lock:
            self._line = line
            self.check()
            if self._process is not None and not _send(self._process, line):
                self._replace()

    def check(self) -> None:
        """Looks whether it lives, and starts another if it does not.

        Raises:
            LimitError: no other can be started.
        """
        with self._lock:
            if self._process is None:
                raise LimitError("nothing would put the power limits back any more, so none is changed")
            if self._process.poll() is not None:
                self._replace()

    def end(self) -> None:
        """Closes the pipe, and waits some seconds for it; one that still has limits to put back goes on."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _close(process)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)

    def _start(self) -> None:
        root = __name__.partition(".")[0]
        above = Path(sys.modules[root].__path__[0]).parent
        search = os.pathsep.join(filter(None, [str(above), os.environ.get("PYTHONPATH", "")]))
        package = __name__.rpartition(".")[0]
        try:
            process = subprocess.Popen(  # noqa: S603 # our own module
                [sys.executable, "-P", "-m", f"{package}.watchdog", str(self._journal)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": search},
                pass_fds=self._locks,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise LimitError(f"the watchdog cannot be started ({error.strerror}), so no limit is changed") from None
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
        word = _word(process) if _send(process, self._line) else ""
        if word != "ready":
            _close(process)
            process.kill()
            process.wait()
            raise LimitError(
                word.removeprefix("no ")
                if word.startswith("no ")
                else "the watchdog does not start, so no limit is changed"
            )
        self._process = process
        Thread(target=self._wait_for, args=(process,), daemon=True, name="watchdog").start()

    def _wait_for(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        try:
            with self._lock:
                if self._process is process:
                    self._replace()
        except LimitError as error:
            self._lost(str(error))

    def _replace(self) -> None:
        """Under the lock, of one that died or does not listen."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            _close(process)
        self._deaths.append(time.monotonic())
        if len(self._deaths) == _DEATHS and self._deaths[-1] - self._deaths[0] < _WITHIN_S:
            raise LimitError("the watchdog dies again and again, so no limit stays changed")
        self._start()
        self.remarks.append("the watchdog that puts the power limits back died; another was started")


def _send(process: "subprocess.Popen[bytes]", line: bytes) -> bool:
    """Whether all of it is in the pipe."""
    if process.stdin is None:
        return False
    pipe, left, until = process.stdin.fileno(), line, time.monotonic() + _DEAF_S
    while left:
        try:
            left = left[os.write(pipe, left) :]
        except BlockingIOError:
            if not select.select([], [pipe], [], max(until - time.monotonic(), 0.0))[1]:
                return False
        except OSError:
            return False
    return True


def _word(process: "subprocess.Popen[bytes]") -> str:
    """The line that it says once; empty when it says none."""
    if process.stdout is None:
        return ""
    text, until = b"", time.monotonic() + _START_S
    while not text.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(until - time.monotonic(), 0.0))[0]:
            return ""
        piece = os.read(process.stdout.fileno(), 4096)
        if not piece:
            return ""
        text += piece
    return text.decode("utf-8", "replace").strip()


def _close(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
