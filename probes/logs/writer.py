"""Who writes a log: the engine whose row it speaks for."""

import os
import subprocess
import time
from pathlib import Path

import psutil

from ..processes import listeners

RETRY_S = 15.0
"""Seconds until it is looked for again: engines come and go."""


class Writer:
    """The URL of the engine that writes a log, found by its process; Linux only, where nobody names it."""

    def __init__(self, url: str | None, *, log: Path | None, unit: str | None) -> None:
        self._named, self._log, self._unit = url, log, unit
        self._found: str | None = None
        self._due = 0.0

    def url(self) -> str | None:
        """Where the engine listens that writes it; None where that cannot be told."""
        if self._named is not None:
            return self._named
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + RETRY_S
            self._found = self._look()
        return self._found

    def _look(self) -> str | None:
        """The only place where one of its processes, or one that has the file open to write, listens."""
        unit = frozenset(self._pids_of_unit())
        listening = [listener for listener in listeners() if listener.pid is not None]
        pids = {
            listener.pid
            for listener in listening
            if listener.pid in unit or (self._log is not None and _writes(listener.pid or 0, self._log))
        }
        ports = {listener.port for listener in listening if listener.pid in pids}
        return f"http://127.0.0.1:{ports.pop()}" if len(ports) == 1 else None

    def _pids_of_unit(self) -> list[int]:
        """The main process of the unit, which is the one that stands before its children."""
        if self._unit is None:
            return []
        for scope in ((), ("--user",)):
            command = ["systemctl", *scope, "show", "--property=MainPID", "--value", "--", self._unit]
            try:
                done = subprocess.run(command, capture_output=True, check=False, timeout=5)  # noqa: S603  # no shell
            except (OSError, subprocess.SubprocessError):
                return []
            said = done.stdout.strip()
            if said.isdigit() and int(said):
                return [int(said)]
        return []


def _writes(pid: int, log: Path) -> bool:
    """Whether a process has the file open for writing. False where this user may not know."""
    try:
        wanted = log.stat()
        files = [file for file in psutil.Process(pid).open_files() if getattr(file, "mode", "w") != "r"]
        return any(os.path.samestat(Path(file.path).stat(), wanted) for file in files)
    except (psutil.Error, OSError):
        return False
