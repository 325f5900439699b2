"""What the control groups of Linux leave this process: the limit that counts, however deep it is nested.

Layout: Documentation/admin-guide/cgroup-v2.rst (`memory.max`, `memory.high`, `memory.current`, `memory.stat` and
`cpu.max`), cgroup-v1/memory.rst (`memory.limit_in_bytes`, `memory.usage_in_bytes`) and scheduler/sched-bwc.rst
(`cpu.cfs_quota_us`) in Linux; cgroups(7) for `proc/self/cgroup`. A group is held by its own limit and by those of all
groups above it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ..cpu.lists import cpu_list
from ..files import ROOT, read_number, read_text

_NO_LIMIT_BYTES = 1 << 60
"""The old groups write the largest number of whole pages where they limit nothing."""


class MemoryLimit(Struct, frozen=True, kw_only=True):
    """The tightest limit on memory, and how much of it is taken."""

    limit_bytes: int
    used_bytes: int | None
    """Without file cache that is not in use, as `docker stats` and kubelet count; None when it cannot be read."""


def memory_limit(root: Path = ROOT) -> MemoryLimit | None:
    """The limit on this process's memory; None without one. It may be above what the machine has."""
    return ControlGroup(root).memory()


def usable_cores(root: Path = ROOT) -> float | None:
    """Logical processors that this process may use: its affinity, its cpuset and its quota; None where none is told."""
    return ControlGroup(root).cores()


class ControlGroup:
    """The groups of this process, looked up once; their limits are read anew each time."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._memory = _groups(root, "memory")
        self._cpu = _groups(root, "cpu")

    def memory(self) -> MemoryLimit | None:
        """See `memory_limit`."""
        limits = [(limit, group) for group in self._memory for limit in _memory_limits(group)]
        if not limits:
            return None
        limit, group = min(limits)
        return MemoryLimit(limit_bytes=limit, used_bytes=_memory_used(group))

    def cores(self) -> float | None:
        """See `usable_cores`."""
        counts = [count for count in (self._allowed(), *map(_quota, self._cpu)) if count]
        return min(counts) if counts else None

    def _allowed(self) -> float | None:
        """Processors that the scheduler may use for it (proc_pid_status(5)); some of them may be offline."""
        text = read_text(self._root / "proc/self/status") or ""
        found = re.search(r"^Cpus_allowed_list:\s*(\S+)", text, re.MULTILINE)
        allowed = cpu_list(found[1] if found else None)
        online = cpu_list(read_text(self._root / "sys/devices/system/cpu/online"))
        return float(len(allowed & online if online else allowed)) or None


def _groups(root: Path, controller: str) -> tuple[Path, ...]:
    """The folder of this process's group and of those above it, as far as they can be seen."""
    own: dict[str, str] = {}
    for line in (read_text(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        own.update(dict.fromkeys(names.split(","), path))
    version = 1 if controller in own else 2
    path = own.get(controller if version == 1 else "", "/")
    for mount_root, mount_point in _mounts(root, version, controller):
        top = root / mount_point.lstrip("/")
        group = top / _below(path, mount_root)
        if os.access(group, os.F_OK):
            return (group, *(above for above in group.parents if above == top or top in above.parents))
    return ()


def _mounts(root: Path, version: int, controller: str) -> Iterator[tuple[str, str]]:
    """Root and mount point of each file system that shows the groups (proc_pid_mountinfo(5))."""
    for line in (read_text(root / "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if (version == 2 and kind[0] == "cgroup2") or (kind[0] == "cgroup" and controller in kind[2].split(",")):
            yield fields[3].replace(r"\040", " "), fields[4].replace(r"\040", " ")


def _below(path: str, mount_root: str) -> str:
    """The group's path under the mount point; empty for the mount point itself.

    A container without a namespace for groups reads the host's path, and is shown its own group alone.
    """
    if path.startswith("/.."):
        return ""
    if mount_root == "/":
        return path.lstrip("/")
    return path.removeprefix(mount_root).lstrip("/") if f"{path}/".startswith(f"{mount_root}/") else ""


def _memory_limits(group: Path) -> list[int]:
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    told = [read_number(group / name) for name in names]
    return [limit for limit in told if limit and 0 < limit < _NO_LIMIT_BYTES]


def _memory_used(group: Path) -> int | None:
    used = read_number(group / "memory.current")
    cache_name = "inactive_file"
    if used is None:
        used = read_number(group / "memory.usage_in_bytes")
        cache_name = "total_inactive_file"
    if used is None:
        return None
    found = re.search(rf"^{cache_name} (\d{{1,20}})$", read_text(group / "memory.stat") or "", re.MULTILINE)
    return max(used - int(found[1]), 0) if found else used


def _quota(group: Path) -> float | None:
    """Processors' worth of time that the group may use; None when it is not limited."""
    told = (read_text(group / "cpu.max") or "").split()
    if len(told) == 2:
        quota, period = (int(each) if re.fullmatch(r"\d{1,18}", each) else None for each in told)
    else:
        quota, period = read_number(group / "cpu.cfs_quota_us"), read_number(group / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 and period > 0 else None
