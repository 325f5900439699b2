"""The monitor in a real terminal: it draws, obeys q and signals, and never outlives its terminal."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


class Terminal:
    """llmtop in a pseudo terminal of 100 x 30."""

    def __init__(self, *arguments: str) -> None:
        self.master, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(inner)
        self._inner = os.dup(inner)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmtop", "--no-discover", *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=os.environ | {"PYTHONPATH": str(ROOT / ".src"), "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # only a child can take a terminal
        )
        os.close(inner)
        self.seen = b""
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        try:
            while piece := os.read(self.master, 1 << 16):
                self.seen += piece
        except OSError:
            pass

    def wait_for(self, words: bytes) -> None:
        deadline = time.monotonic() + 15
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen[-2000:]
            time.sleep(0.02)

    def settings(self) -> list[object]:
        """The state of the terminal, which must be that of before when llmtop has ended."""
        return termios.tcgetattr(self._inner)

    def vanish(self) -> None:
        """Closes the terminal, as a closed window does."""
        os.close(self._inner)
        os.close(self.master)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    opened.wait_for(b"devices")
    yield opened
    opened.close()


def test_q_ends_it_and_puts_the_terminal_back(terminal: Terminal) -> None:
    os.write(terminal.master, b"q")
    assert terminal.process.wait(5) == 0
    assert terminal.settings() == terminal.before
    assert b"Traceback" not in terminal.seen


def test_sigterm_ends_it_and_puts_the_terminal_back(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(5) == 0
    assert terminal.settings() == terminal.before


def test_ctrl_c_is_no_accident(terminal: Terminal) -> None:
    os.write(terminal.master, b"\x03")
    terminal.process.send_signal(signal.SIGTERM)
    terminal.process.wait(5)
    assert b"Traceback" not in terminal.seen


def test_it_does_not_outlive_its_terminal(terminal: Terminal) -> None:
    terminal.vanish()
    terminal.process.wait(8)


def test_sigterm_ends_it_even_without_a_terminal() -> None:
    opened = Terminal()
    opened.wait_for(b"devices")
    try:
        opened.vanish()
        time.sleep(0.2)
        opened.process.send_signal(signal.SIGTERM)
        opened.process.wait(8)
    finally:
        opened.close()
