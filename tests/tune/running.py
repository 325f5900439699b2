"""`llmtop tune` in a process of its own, on GPUs of the simulated NVML; with a terminal where one is asked for."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from ..hardware.simulated import PACKAGES, environment, read_limits

PATIENCE_S = 60.0


def until(done: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> float:
    """Waits for it; returns for how long."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds, f"waited in vain for {what}"
        time.sleep(0.01)
    return time.monotonic() - began


class Running:
    """Killed at the end of the `with`, where it runs that long."""

    def __init__(
        self, library: Path, state: Path, *arguments: str, command: str = "tune", columns: int = 0, key: str = ""
    ) -> None:
        """With `columns`, standard input and output are a terminal as wide; else pipes."""
        self.state = state
        self.seen = b""
        self.said = b""
        self.code: int | None = None
        settings = environment(library, state) | {
            "PYTHONPATH": str(PACKAGES),
            "HOME": str(state.parent),
            "XDG_STATE_HOME": str(state.parent / "state"),
            "XDG_CACHE_HOME": str(state.parent / "cache"),
            "TERM": "xterm-256color",
            "LLMTOP_API_KEY": key,
        }
        self._terminal: int | None = None
        inner: int | None = None
        if columns:
            self._terminal, inner = pty.openpty()
            fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmtop", *filter(None, [command]), *arguments],
            stdin=subprocess.DEVNULL if inner is None else inner,
            stdout=subprocess.PIPE if inner is None else inner,
            stderr=subprocess.PIPE if inner is None else inner,
            env=settings,
            start_new_session=True,
            preexec_fn=_take_terminal if columns else None,  # noqa: PLW1509 # only a child can take a terminal
        )
        self._readers = [threading.Thread(target=self._drain, daemon=True)] if columns else []
        if inner is not None:
            os.close(inner)
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def end(self) -> int:
        """Waits for it; what it has printed is in `seen`, and what it said beside that in `said`."""
        if self._readers:
            self.process.wait(PATIENCE_S * 2)
            self._readers[0].join(2.0)
        else:
            self.seen, self.said = self.process.communicate(timeout=PATIENCE_S * 2)
        assert b"Traceback" not in self.seen + self.said, (self.seen + self.said).decode()
        return self.process.returncode

    @property
    def lines(self) -> list[str]:
        """What it said on standard error."""
        return self.said.decode().splitlines()

    def type(self, text: bytes) -> None:
        """Keys, as a person hits them."""
        assert self._terminal is not None
        os.write(self._terminal, text)

    def hang_up(self) -> None:
        """The terminal is gone, as when its window is closed."""
        if self._terminal is not None:
            with suppress(OSError):
                os.close(self._terminal)
        self._terminal = None

    def limit_w(self, gpu: int = 0) -> float | None:
        """None before anybody has set one."""
        return read_limits(self.state).get(gpu)

    def wait_for_change(self, gpu: int = 0, stock_w: float = 450.0) -> None:
        """Until it has set a lower limit."""
        until(lambda: self.limit_w(gpu) not in {None, stock_w} or self.process.poll() is not None, "a lower limit")
        assert self.process.poll() is None, self.process.communicate()

    def wait_for(self, words: bytes) -> None:
        until(lambda: words in self.seen, f"{words!r} in {self.seen[-2000:]!r}")

    def _drain(self) -> None:
        terminal = self._terminal
        with suppress(OSError):
            while terminal is not None and (piece := os.read(terminal, 1 << 16)):
                self.seen += piece


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
