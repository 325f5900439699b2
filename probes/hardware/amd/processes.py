"""The processes on one AMD GPU: those that have its files open, and those that compute on it through ROCm.

Layout: `class/kfd/kfd/proc/PID/vram_GPU` is what a process of ROCm holds on a GPU, in bytes, whoever runs it
(drivers/gpu/drm/amd/amdkfd/kfd_process.c in Linux). The pids are those of the machine, so they mean nothing in a
container. How long the GPU works for such a process nobody counts: its queues are not those of the graphics driver.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from ...sample import DeviceProcess
from ..drm.processes import DrmProcesses
from ..entries import entries
from ..files import read_number

_LISTED_S = 4.0
_MACHINE = "pid:[4026531836]"
"""The pid namespace of the machine itself (PROC_PID_INIT_INO of include/linux/proc_ns.h)."""


class AmdProcesses:
    """Reads them, at most every `_LISTED_S` seconds."""

    def __init__(self, root: Path, files: DrmProcesses, clock: Callable[[], float], *, address: str, apu: bool) -> None:
        self._folder = root / "sys/class/kfd/kfd/proc"
        self._contained = _contained(root / "proc/self/ns/pid")
        self._files = files
        self._clock = clock
        self._address = address
        self._regions = ("vram", "gtt") if apu else ("vram",)
        self._due = float("-inf")
        self._found: tuple[DeviceProcess, ...] | None = None

    def read(self, gpu_ids: Collection[int], used_bytes: int | None) -> tuple[DeviceProcess, ...] | None:
        """Who holds memory there. None when nobody is known and somebody may be there.

        Args:
            gpu_ids: how KFD calls the GPU, or its parts.
            used_bytes: what is in use there in all.
        """
        now = self._clock()
        if now < self._due:
            return self._found
        self._due = now + _LISTED_S
        opened = self._files.read(self._address, self._regions, used_bytes)
        computing = self._computing(gpu_ids)
        if opened is None and not computing:
            self._found = None
            return None
        by_pid = {process.pid: process for process in opened or ()}
        for pid, held in computing.items():
            known = by_pid.get(pid)
            if known is None:
                by_pid[pid] = DeviceProcess(pid, held)
            else:
                by_pid[pid] = DeviceProcess(pid, max(held, known.memory_bytes or 0), known.utilization or None)
        self._found = tuple(process for _, process in sorted(by_pid.items()))
        return self._found

    def _computing(self, gpu_ids: Collection[int]) -> dict[int, int]:
        """Bytes by pid of those that ROCm knows on this GPU."""
        if self._contained:
            return {}
        found: dict[int, int] = {}
        for folder in entries(self._folder, "*"):
            sizes = [read_number(folder / f"vram_{gpu_id}") for gpu_id in gpu_ids]
            known = [size for size in sizes if size is not None]
            if folder.name.isdigit() and known:
                found[int(folder.name)] = sum(known)
        return found


def _contained(link: Path) -> bool:
    try:
        return str(link.readlink()) != _MACHINE
    except OSError:
        return False
