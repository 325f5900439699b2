"""The main memory as this process may use it: of the machine, or of its container."""

import re
from pathlib import Path

import psutil
from msgspec import Struct

from ..files import ROOT, read_text
from .cgroup import ControlGroup

_SIZE = re.compile(r"\d{1,18}")


class Memory(Struct, frozen=True, kw_only=True):
    """One reading."""

    total_bytes: int
    """What this process can get at most."""
    used_bytes: int | None
    """What of it is taken and cannot be had by dropping caches."""
    machine_bytes: int
    """What the kernel tells of the machine; inside lxcfs that is the container's already."""

    @property
    def limited(self) -> bool:
        """Whether a container or another control group gives less than the machine has."""
        return self.total_bytes < self.machine_bytes


class MainMemory:
    """Reads it; a reading costs some tens of microseconds."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._group = ControlGroup(root)

    def read(self) -> Memory:
        """One reading: the machine's figures, or those of the control group that gives less."""
        machine_bytes, used_bytes = self._machine()
        limit = self._group.memory()
        if limit and limit.limit_bytes < machine_bytes:
            return Memory(total_bytes=limit.limit_bytes, used_bytes=limit.used_bytes, machine_bytes=machine_bytes)
        return Memory(total_bytes=machine_bytes, used_bytes=used_bytes, machine_bytes=machine_bytes)

    def _machine(self) -> tuple[int, int]:
        """All and used bytes (proc_meminfo(5)); asked of psutil where there is no such file."""
        lines = (read_text(self._root / "proc/meminfo") or "").splitlines()
        told = dict(line.split()[:2] for line in lines if len(line.split()) == 3)
        total, available = told.get("MemTotal:", ""), told.get("MemAvailable:", "")
        if _SIZE.fullmatch(total) and _SIZE.fullmatch(available):
            return int(total) << 10, max(int(total) - int(available), 0) << 10
        memory = psutil.virtual_memory()
        return memory.total, memory.total - memory.available
