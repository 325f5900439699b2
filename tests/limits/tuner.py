"""A process that tunes GPUs of the simulated NVML, or files, told what to do line by line."""

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self, cast

from llmtop.probes.limits.nvml import NvmlLimit

from ..hardware.simulated import PACKAGES
from .waiting import PATIENCE_S

PROGRAM = """
import json, sys
from pathlib import Path
from llmtop.probes.limits.borrowed import Borrowed
from llmtop.probes.limits.contract import LimitError
from llmtop.probes.limits.file import FileLimit, lasting
from llmtop.probes.limits.nvml import NvmlLimit

def say(**words):
    print(json.dumps(words), flush=True)

try:
    limits = [
        FileLimit(lasting(Path(at)), f"amd{index}", f"RX {index}") if at.startswith("/")
        else NvmlLimit(at, f"nvidia{index}", f"RTX {index}")
        for index, at in enumerate(sys.argv[2:])
    ]
    with Borrowed(limits, Path(sys.argv[1])) as borrowed:
        say(originals=borrowed.originals_w, watchdog=borrowed.watchdog_pid)
        for line in sys.stdin:
            word, *numbers = line.split()
            if word == "end":
                break
            try:
                if word == "set":
                    say(now=borrowed.set([float(each) for each in numbers]))
                elif word == "keep":
                    say(commands=borrowed.keep())
                elif word == "tell":
                    say(remarks=borrowed.remarks, watchdog=borrowed.watchdog_pid)
            except LimitError as error:
                say(error=str(error))
    say(ended=True, remarks=borrowed.remarks)
except LimitError as error:
    say(error=str(error))
"""


def uuid(index: int) -> str:
    """As the simulator names a GPU."""
    return f"GPU-00000000-0000-0000-0000-{index:012d}"


def gpu(index: int) -> NvmlLimit:
    return NvmlLimit(uuid(index), f"nvidia{index}", f"RTX {index}")


class Tuner:
    """It ends with the `with`."""

    def __init__(
        self, state: Path, folder: Path, gpus: int = 1, *, files: Sequence[Path] = (), terminal: bool = False
    ) -> None:
        """Tunes the first GPUs, and then `files`. With `terminal`, it has one of its own, through which it is told."""
        self.state = state
        self.ended_at = 0.0
        if terminal:
            self._orders, inner = pty.openpty()
        else:
            inner, self._orders = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), *map(uuid, range(gpus)), *map(str, files)],
            stdin=inner,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(PACKAGES)},
            bufsize=0,
            start_new_session=terminal,
            preexec_fn=_take_terminal if terminal else None,  # noqa: PLW1509 # only a child can take a terminal
        )
        os.close(inner)
        self.first = self.answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def hang_up(self) -> None:
        """Closes its input: a terminal is gone then, as when its window is closed."""
        with suppress(OSError):
            os.close(self._orders)
        self._orders = -1

    @property
    def watchdog(self) -> int:
        """The process that watches over it now."""
        return cast("int", self.ask("tell")["watchdog"])

    def order(self, words: str) -> None:
        """Tells it something, and does not wait for the answer."""
        os.write(self._orders, f"{words}\n".encode())

    def answer(self) -> dict[str, object]:
        """What it says next."""
        pipe = cast("IO[bytes]", self.process.stdout)
        assert select.select([pipe], [], [], PATIENCE_S)[0], "it says nothing"
        return cast("dict[str, object]", json.loads(pipe.readline() or b'{"error": "it ended"}'))

    def ask(self, words: str) -> dict[str, object]:
        self.order(words)
        return self.answer()

    def set(self, *watts: float) -> Sequence[float]:
        told = self.ask("set " + " ".join(map(str, watts)))
        assert "now" in told, told
        return cast("Sequence[float]", told["now"])

    def end_by(self, number: int) -> None:
        """Sends a signal, and waits until it is gone."""
        self.ended_at = time.time()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
