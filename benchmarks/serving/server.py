"""An engine in a process of its own, and all that it starts; none of them outlives it."""

import contextlib
import os
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from .contract import Start

PATIENCE_S = 240.0
GRACE_S = 10.0
"""Seconds in which an engine may end by itself once it is asked to."""


class BadStartError(Exception):
    """The engine did not come up; the text ends with what it said last."""


class Server:
    """Runs while the context lasts."""

    def __init__(self, start: Start, folder: Path, *, log: str = "engine.log") -> None:
        self.start = start
        self._folder = folder
        self.log = folder / log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.start.command,
                cwd=self._folder,
                env=os.environ | self.start.settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it, politely first, and whatever it has started."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
        process.kill()
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for child in children:
                with contextlib.suppress(psutil.Error):
                    end(child)
            _, children = psutil.wait_procs(children, GRACE_S / 3)
        process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BadStartError(f"does not come up:\n{self.log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        """Whether it serves; a program without a URL is taken to do so at once."""
        if not self.start.url:
            return True
        parts = urlsplit(self.start.url)
        with contextlib.suppress(OSError):
            connection = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
            connection.request("GET", self.start.ready)
            return connection.getresponse().status == 200
        return False
