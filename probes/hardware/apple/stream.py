"""A program that goes on telling: one process for the whole run, read by a thread, which keeps what came last."""

import atexit
import subprocess
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import IO

_CHUNK_BYTES = 1 << 16
_LONGEST_BYTES = 4 << 20
"""A document that grows beyond this never ends; powermetrics writes some 100 KB, macmon 4."""


class Stream:
    """Starts a program and cuts its output into documents, each ending with `end`.

    The program ends with this process: when it is left in the ordinary way it is told to, and else its next word into
    a pipe that nobody reads any more ends it.
    """

    def __init__(
        self, command: Sequence[str], end: bytes, *, clock: Callable[[], float] = monotonic, limit: int = _LONGEST_BYTES
    ) -> None:
        """Raises OSError where the program cannot be started."""
        self._end = end
        self._clock = clock
        self._limit = limit
        self._lock = Lock()
        self._newest: bytes | None = None
        self._heard = clock()
        self._process = subprocess.Popen(  # noqa: S603 - fixed commands
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        atexit.register(self.close)
        self._thread = Thread(target=self._listen, args=(self._process.stdout,), name="apple stream", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the program is gone."""
        return self._process.poll() is not None

    @property
    def silent_s(self) -> float:
        """Seconds since its last document, or since its start."""
        with self._lock:
            return self._clock() - self._heard

    def newest(self) -> bytes | None:
        """The last document; None before the first."""
        with self._lock:
            return self._newest

    def close(self) -> None:
        """Ends the program, whatever it does."""
        atexit.unregister(self.close)
        self._process.terminate()
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(1.0)

    def _listen(self, output: IO[bytes]) -> None:
        rest = b""
        with output:
            while chunk := output.read(_CHUNK_BYTES):
                *whole, rest = (rest + chunk).split(self._end)
                if len(rest) > self._limit:
                    rest = b""
                if whole:
                    with self._lock:
                        self._newest = whole[-1] + self._end
                        self._heard = self._clock()
