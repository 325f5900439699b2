"""Watching processes come and go."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import llmtop
import psutil

SEARCH = {**os.environ, "PYTHONPATH": str(Path(llmtop.__path__[0]).parent)}
"""An environment in which a child finds the package."""


def wait_for(done: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        time.sleep(0.02)
    return False


def is_gone(process: psutil.Process) -> bool:
    """Whether it runs no more; who adopts it may be slow to bury it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
