"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 30.0
"""A machine may be busy; what is measured is measured by the time of files."""


def until(done: Callable[[], object], what: str = "it") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def running(folder: Path) -> list[int]:
    """The processes that a path in this folder was given to when they were started."""
    wanted = str(folder).encode()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if wanted in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("tune-*.json"))
