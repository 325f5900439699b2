"""The command in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent.parent


class Command:
    """`llmtop proxy` before an engine on this port; ready when it is entered."""

    def __init__(self, upstream_port: int, *options: str) -> None:
        path = os.pathsep.join([str(ROOT / ".src"), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "llmtop", "proxy", "--upstream", f"http://127.0.0.1:{upstream_port}", "--listen",
             "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.lines = [self._process.stdout.readline() for _ in range(3)]
        match = re.search(r"http://127\.0\.0\.1:(\d+)", self.lines[0])
        assert match, self._process.communicate(timeout=10)
        self.port = int(match[1])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def metrics(self) -> str:
        match = re.search(r"http://\S+/metrics", self.lines[2])
        assert match
        return match[0]

    def interrupt(self, number: int = signal.SIGINT) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Exit code and what else it has written, once it ends."""
        out, err = self._process.communicate(timeout=20)
        return self._process.returncode, out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate(timeout=10)
