"""What a CPU is made of: sockets, memory nodes, cores of two kinds, threads.

Layout: Documentation/ABI/stable/sysfs-devices-system-cpu in Linux (`topology/physical_package_id`,
`topology/core_cpus_list`, before 5.1 `thread_siblings_list`), sysfs-devices-node. Kinds of cores: Intel's hybrid CPUs
have a unit of perf events for each, `devices/cpu_core/cpus`, `cpu_atom/cpus` and, since 6.12, `cpu_lowpower/cpus`
(arch/x86/events/intel/core.c); Arm's differ by the part in MIDR_EL1 and by `cpu_capacity`.
"""

import sys
from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import ROOT, read_number, read_text
from .lists import cpu_list
from .sysctl import sysctl_number


class Topology(Struct, frozen=True, kw_only=True):
    """Only processors that are online count."""

    sockets: int | None = None
    numa_nodes: int | None = None
    """Those with processors; memory without any (CXL, of a GPU) is no node of the CPU."""
    cores: int | None = None
    """Physical ones."""
    threads: int | None = None
    performance_cores: int | None = None
    """None where all cores are alike."""
    efficiency_cores: int | None = None


def topology(root: Path = ROOT) -> Topology:
    """Reads it once; a large server takes some milliseconds."""
    if sys.platform == "darwin":
        return _of_macos()
    folder = root / "sys/devices/system/cpu"
    online = cpu_list(read_text(folder / "online"))
    siblings = {cpu: _siblings(folder / f"cpu{cpu}/topology", cpu) for cpu in online}
    performance, efficiency = _kinds(root, siblings)
    return Topology(
        sockets=_sockets(root, online),
        numa_nodes=_nodes(root),
        cores=len(set(siblings.values())) or None,
        threads=len(online) or None,
        performance_cores=performance,
        efficiency_cores=efficiency,
    )


def _siblings(folder: Path, cpu: int) -> frozenset[int]:
    """The threads of its core, itself among them."""
    told = read_text(folder / "core_cpus_list") or read_text(folder / "thread_siblings_list")
    return cpu_list(told) or frozenset({cpu})


def _sockets(root: Path, online: frozenset[int]) -> int | None:
    """Boards with a device tree have one; older kernels number their clusters there, or say -1."""
    if read_text(root / "proc/device-tree/model"):
        return 1
    folder = root / "sys/devices/system/cpu"
    found = {read_number(folder / f"cpu{cpu}/topology/physical_package_id") for cpu in online}
    return len({number for number in found if number is not None and number >= 0}) or None


def _nodes(root: Path) -> int | None:
    folders = entries(root / "sys/devices/system/node", "node[0-9]*")
    return sum(1 for folder in folders if cpu_list(read_text(folder / "cpulist"))) or None


def _kinds(root: Path, siblings: dict[int, frozenset[int]]) -> tuple[int | None, int | None]:
    """Physical cores of both kinds."""

    def cores(cpus: frozenset[int]) -> int:
        return len({siblings[cpu] for cpu in cpus if cpu in siblings})

    names = ("cpu_core", "cpu_atom", "cpu_lowpower")
    big, small, tiny = (cpu_list(read_text(root / f"sys/devices/{name}/cpus")) for name in names)
    if big and (small or tiny):
        return cores(big), cores(small | tiny)
    little = _little(root, frozenset(siblings))
    return (cores(frozenset(siblings) - little), cores(little)) if little else (None, None)


def _little(root: Path, online: frozenset[int]) -> frozenset[int]:
    """Those of Arm's processors that are of the weakest part; none where all are of one part, or none is weaker."""
    parts: dict[str, set[int]] = {}
    cpu: int | None = None
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        key, _, value = (each.strip() for each in line.partition(":"))
        if key == "processor":
            cpu = next(iter(cpu_list(value)), None)
        elif key == "CPU part" and cpu in online:
            parts.setdefault(value, set()).add(cpu)
    if len(parts) < 2:
        return frozenset()
    folder = root / "sys/devices/system/cpu"
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        worth: dict[str, int] = {}
        for part, cpus in parts.items():
            worth[part] = max(read_number(folder / f"cpu{each}/{name}") or 0 for each in cpus)
        weakest = min(worth, key=lambda part: worth[part])
        if 0 < worth[weakest] < max(worth.values()):
            return frozenset(parts[weakest])
    return frozenset()


def _of_macos() -> Topology:
    """By sysctl: level 0 of Apple silicon has the performance cores; there is no second one where all are alike."""
    performance, efficiency = (sysctl_number(f"hw.perflevel{level}.physicalcpu") for level in (0, 1))
    return Topology(
        sockets=sysctl_number("hw.packages"),
        cores=sysctl_number("hw.physicalcpu"),
        threads=sysctl_number("hw.logicalcpu"),
        performance_cores=performance if efficiency else None,
        efficiency_cores=efficiency,
    )
