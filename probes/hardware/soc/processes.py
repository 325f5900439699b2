"""Who uses the GPU of a system on a chip: the processes that have its device open. What each holds nobody tells."""

import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from ...sample import DeviceProcess
from ..files import ROOT

_LISTED_S = 4.0
"""Seconds between two looks at the processes."""
_LONGEST_S = 64.0
"""Seconds after which a process without the device is looked at again: each look in vain doubles the wait."""
_WORKS = 0.5
"""Load from which somebody must be at work."""


class _Look(Struct):
    """When a process is due, and what the last look found."""

    due: float
    wait_s: float = _LISTED_S
    uses: bool = False


class SocProcesses:
    """Looks at the open files of all processes; those of other users may not be looked at."""

    def __init__(self, devices: tuple[str, ...], root: Path = ROOT, *, clock: Callable[[], float]) -> None:
        """`devices` are how the paths of the device begin: "/dev/mali0", "/dev/nvgpu/"."""
        self._devices = devices
        self._proc = root / "proc"
        self._clock = clock
        self._due = float("-inf")
        self._looks: dict[int, _Look] = {}

    def read(self, load: float | None) -> tuple[DeviceProcess, ...] | None:
        """Those that are known; None when nobody is and the GPU is at work."""
        now = self._clock()
        if now >= self._due:
            self._due = now + _LISTED_S
            self._look(now)
        users = tuple(DeviceProcess(pid) for pid, look in sorted(self._looks.items()) if look.uses)
        return users if users or (load or 0.0) < _WORKS else None

    def _look(self, now: float) -> None:
        try:
            with os.scandir(self._proc) as entries:
                pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
        except OSError:
            pids = []
        self._looks = {pid: self._looks.get(pid) or _Look(now) for pid in pids}
        for pid, look in self._looks.items():
            if look.due <= now:
                look.uses = self._uses(f"{self._proc}/{pid}/fd")
                look.wait_s = _LISTED_S if look.uses else min(2 * look.wait_s, _LONGEST_S)
                look.due = now + look.wait_s

    def _uses(self, folder: str) -> bool:
        try:
            with os.scandir(folder) as entries:
                return any(_target(entry.path).startswith(self._devices) for entry in entries)
        except OSError:
            return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - there are thousands
    except OSError:
        return ""
