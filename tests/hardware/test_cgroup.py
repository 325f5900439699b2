"""Limits of containers: v1 and v2, nested, with and without a namespace, and the rest of a machine behind them."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.usable import usable_remarks
from llmtop.probes.hardware.host.cgroup import memory_limit, usable_cores
from llmtop.probes.hardware.host.main_memory import MainMemory, Memory

from .trees import put

GIB = 1 << 30
POD = "/kubepods/besteffort/pod9a18ffb8-8513-11e7-b26e-7e29fbe2a5a3/d28e0087cf8f"
UNLIMITED_V1 = 9223372036854771712
"""PAGE_COUNTER_MAX in pages of 4 KiB."""


def mounts(root: Path, *lines: str) -> None:
    put(root, "proc/self/mountinfo", "\n".join(lines))


def host(root: Path, gib: int = 64, available: int = 48, threads: int = 16) -> None:
    meminfo = f"MemTotal: {gib << 20} kB\nMemFree: 1 kB\nMemAvailable: {available << 20} kB\nHugePages_Total: 0"
    put(root, "proc/meminfo", meminfo)
    put(root, "sys/devices/system/cpu/online", f"0-{threads - 1}")
    put(root, "proc/self/status", "Name:\tllmtop\nCpus_allowed:\tffff,ffffffff\nCpus_allowed_list:\t0-127")


def docker_v2(root: Path) -> None:
    """As a container with a namespace of its own sees it: moby's default on v2 (elastic/apm-agent-java issue 2352)."""
    host(root)
    put(root, "proc/self/cgroup", "0::/")
    mounts(
        root,
        "473 387 0:143 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/HOY",
        "486 477 0:30 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw",
    )
    group = "sys/fs/cgroup"
    put(root, f"{group}/memory.max", str(8 * GIB))
    put(root, f"{group}/memory.high", "max")
    put(root, f"{group}/memory.current", str(5 * GIB))
    put(root, f"{group}/memory.stat", f"anon {2 * GIB}\nfile {3 * GIB}\ninactive_file {2 * GIB}\nactive_file {GIB}")
    put(root, f"{group}/cpu.max", "400000 100000")


def test_docker_on_v2(tmp_path: Path) -> None:
    docker_v2(tmp_path)
    memory = MainMemory(tmp_path).read()
    assert memory == Memory(total_bytes=8 * GIB, used_bytes=3 * GIB, machine_bytes=64 * GIB)
    assert usable_cores(tmp_path) == 4
    assert list(usable_remarks(memory, cores=4, threads=16, container="docker")) == [
        "the container (docker) may use 8 of 64 GiB of memory and 4 of 16 CPU threads"
    ]


def kubernetes_v1(root: Path) -> None:
    """Without a namespace the path is the host's, and the mount shows this group alone: moby issue 34584."""
    host(root)
    put(root, "proc/self/cgroup", f"4:memory:{POD}\n2:cpu,cpuacct:{POD}\n1:name=systemd:{POD}\n0::/system.slice/x")
    mounts(
        root,
        f"396 394 0:21 {POD} /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec - cgroup cgroup rw,cpu,cpuacct",
        f"397 394 0:22 {POD} /sys/fs/cgroup/memory ro,nosuid,nodev,noexec - cgroup cgroup rw,memory",
    )
    memory, cpu = "sys/fs/cgroup/memory", "sys/fs/cgroup/cpu,cpuacct"
    put(root, f"{memory}/memory.limit_in_bytes", str(12 * GIB))
    put(root, f"{memory}/memory.usage_in_bytes", str(7 * GIB))
    put(root, f"{memory}/memory.stat", f"inactive_file 1\ntotal_inactive_file {4 * GIB}")
    put(root, f"{cpu}/cpu.cfs_quota_us", "250000")
    put(root, f"{cpu}/cpu.cfs_period_us", "100000")


def test_kubernetes_on_v1(tmp_path: Path) -> None:
    kubernetes_v1(tmp_path)
    assert MainMemory(tmp_path).read() == Memory(total_bytes=12 * GIB, used_bytes=3 * GIB, machine_bytes=64 * GIB)
    assert usable_cores(tmp_path) == 2.5


def test_v1_without_limits(tmp_path: Path) -> None:
    kubernetes_v1(tmp_path)
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(UNLIMITED_V1))
    put(tmp_path, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1")
    memory = MainMemory(tmp_path).read()
    assert memory == Memory(total_bytes=64 * GIB, used_bytes=16 * GIB, machine_bytes=64 * GIB)
    assert not memory.limited
    assert usable_cores(tmp_path) == 16
    assert not list(usable_remarks(memory, cores=16, threads=16))


def test_a_number_that_stands_for_no_limit_is_none(tmp_path: Path) -> None:
    kubernetes_v1(tmp_path)
    put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(UNLIMITED_V1))
    assert memory_limit(tmp_path) is None


def test_the_tightest_of_nested_groups_counts(tmp_path: Path) -> None:
    """On the host: a service in a slice, on v2; `memory.high` holds down as well."""
    host(tmp_path)
    put(tmp_path, "proc/self/cgroup", "0::/ml.slice/ml-jobs.slice/job.service")
    mounts(tmp_path, "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate")
    top = "sys/fs/cgroup/ml.slice"
    put(tmp_path, f"{top}/memory.max", str(32 * GIB))
    put(tmp_path, f"{top}/cpu.max", "600000 100000")
    put(tmp_path, f"{top}/ml-jobs.slice/memory.high", str(16 * GIB))
    put(tmp_path, f"{top}/ml-jobs.slice/memory.max", "max")
    put(tmp_path, f"{top}/ml-jobs.slice/memory.current", str(10 * GIB))
    put(tmp_path, f"{top}/ml-jobs.slice/cpu.max", "max 100000")
    put(tmp_path, f"{top}/ml-jobs.slice/job.service/memory.max", "max")
    put(tmp_path, f"{top}/ml-jobs.slice/job.service/memory.current", str(GIB))
    put(tmp_path, f"{top}/ml-jobs.slice/job.service/cpu.max", "800000 100000")
    memory = MainMemory(tmp_path).read()
    assert (memory.total_bytes, memory.used_bytes) == (16 * GIB, 10 * GIB)
    assert usable_cores(tmp_path) == 6
    assert list(usable_remarks(memory, cores=6, threads=16)) == [
        "this process may use 16 of 64 GiB of memory and 6 of 16 CPU threads"
    ]


def test_affinity_and_cpuset(tmp_path: Path) -> None:
    host(tmp_path)
    put(tmp_path, "proc/self/status", "Cpus_allowed_list:\t4-7,12-13")
    assert usable_cores(tmp_path) == 6
    put(tmp_path, "sys/devices/system/cpu/online", "0-5")
    assert usable_cores(tmp_path) == 2


def test_lxc_says_the_limit_is_the_machine(tmp_path: Path) -> None:
    """What lxcfs does: it puts the container's own figures into /proc/meminfo; the host's are not to be had."""
    host(tmp_path, gib=4, available=3, threads=2)
    put(tmp_path, "proc/self/cgroup", "0::/")
    mounts(
        tmp_path,
        "150 135 0:40 /proc/meminfo /proc/meminfo rw,nosuid,nodev,relatime - fuse.lxcfs lxcfs rw,allow_other",
        "486 477 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 none rw",
    )
    put(tmp_path, "sys/fs/cgroup/memory.max", str(4 * GIB))
    put(tmp_path, "sys/fs/cgroup/memory.current", str(2 * GIB))
    memory = MainMemory(tmp_path).read()
    assert memory == Memory(total_bytes=4 * GIB, used_bytes=GIB, machine_bytes=4 * GIB)
    assert not list(usable_remarks(memory, cores=2, threads=2, container="lxc"))


def test_wsl_says_what_decides(tmp_path: Path) -> None:
    put(tmp_path, "proc/meminfo", f"MemTotal: {156 * 1024 * 1024 // 10} kB\nMemAvailable: 1000 kB")
    memory = MainMemory(tmp_path).read()
    assert list(usable_remarks(memory, cores=8, threads=8, virtualization="WSL2")) == [
        "WSL2 gives Linux 15.6 GiB; memory= in .wslconfig changes it"
    ]


@pytest.mark.parametrize("path", ["/../other.slice", "/somewhere/else"])
def test_a_path_outside_of_what_is_mounted(tmp_path: Path, path: str) -> None:
    """The mount point itself is then the nearest that can be seen."""
    docker_v2(tmp_path)
    put(tmp_path, "proc/self/cgroup", f"0::{path}")
    mounts(tmp_path, "486 477 0:30 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw")
    limit = memory_limit(tmp_path)
    assert limit
    assert limit.limit_bytes == 8 * GIB


def test_usage_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    docker_v2(tmp_path)
    (tmp_path / "sys/fs/cgroup/memory.current").unlink()
    memory = MainMemory(tmp_path).read()
    assert (memory.total_bytes, memory.used_bytes) == (8 * GIB, None)


def test_limits_change_and_vanish_between_two_readings(tmp_path: Path) -> None:
    docker_v2(tmp_path)
    reader = MainMemory(tmp_path)
    assert reader.read().total_bytes == 8 * GIB
    put(tmp_path, "sys/fs/cgroup/memory.max", str(2 * GIB))
    assert reader.read().total_bytes == 2 * GIB
    for file in (tmp_path / "sys/fs/cgroup").iterdir():
        file.unlink()
    (tmp_path / "sys/fs/cgroup").rmdir()
    assert reader.read().total_bytes == 64 * GIB


@pytest.mark.parametrize("text", ["", "garbage", "max", "max max max", "0 0", "-1", "-5 100000", "100000 0"])
def test_garbage_limits_nothing(tmp_path: Path, text: str) -> None:
    docker_v2(tmp_path)
    for name in ("memory.max", "memory.high", "cpu.max"):
        put(tmp_path, f"sys/fs/cgroup/{name}", text)
    assert memory_limit(tmp_path) is None
    assert usable_cores(tmp_path) == 16


def test_nothing_at_all(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
    assert usable_cores(tmp_path) is None
    memory = MainMemory(tmp_path).read()  # asked of psutil
    assert memory.total_bytes == memory.machine_bytes > 0
    put(tmp_path, "proc/self/cgroup", "::\nx\n4:memory")
    put(tmp_path, "proc/self/mountinfo", "1 2 3\n - cgroup2\n1 2 0:1 / /nowhere rw - cgroup2 cgroup2 rw")
    assert memory_limit(tmp_path) is None
