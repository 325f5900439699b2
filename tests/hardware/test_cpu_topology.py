"""Sockets, nodes, cores of two kinds, threads; the published counts of each machine."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.lists import cpu_list
from llmtop.probes.hardware.cpu.topology import Topology, topology

from .trees import processors, put, tree

pytestmark = pytest.mark.skipif("sys.platform == 'darwin'", reason="reads the trees of Linux")


@pytest.mark.parametrize(
    ("name", "kinds", "cores", "threads"),
    [
        ("raptor-lake", (8, 16), 24, 32),
        ("lunar-lake", (4, 4), 8, 8),
        ("arrow-lake-h", (6, 10), 16, 16),
        ("rock-5b", (4, 4), 8, 8),
        ("gb10", (10, 10), 20, 20),
        ("raspberry-pi-5", (None, None), 4, 4),
        ("altra", (None, None), 4, 4),
    ],
)
def test_kinds_of_cores(
    tmp_path: Path, name: str, kinds: tuple[int | None, int | None], cores: int, threads: int
) -> None:
    found = topology(tree(tmp_path, name))
    assert (found.performance_cores, found.efficiency_cores) == kinds
    assert (found.cores, found.threads, found.sockets) == (cores, threads, 1)


def test_two_epyc_9654_with_four_nodes_a_socket(tmp_path: Path) -> None:
    found = topology(processors(tmp_path, cores=192, threads=2, sockets=2, nodes=8))
    assert found == Topology(sockets=2, numa_nodes=8, cores=192, threads=384)


def test_memory_without_processors_is_no_node_of_the_cpu(tmp_path: Path) -> None:
    assert topology(tree(tmp_path, "grace")).numa_nodes == 1


def test_processors_that_are_off_do_not_count(tmp_path: Path) -> None:
    processors(tmp_path, cores=8, threads=2)
    put(tmp_path, "sys/devices/system/cpu/online", "0-3,8-9")
    found = topology(tmp_path)
    assert (found.cores, found.threads) == (4, 6)


def test_hybrid_with_its_efficiency_cores_off(tmp_path: Path) -> None:
    tree(tmp_path, "raptor-lake")
    put(tmp_path, "sys/devices/cpu_atom/cpus", "")
    put(tmp_path, "sys/devices/system/cpu/online", "0-15")
    found = topology(tmp_path)
    assert (found.cores, found.performance_cores, found.efficiency_cores) == (8, None, None)


def test_old_names_of_the_siblings(tmp_path: Path) -> None:
    put(tmp_path, "sys/devices/system/cpu/online", "0-3")
    for cpu in range(4):
        put(tmp_path, f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", f"{cpu % 2},{cpu % 2 + 2}")
        put(tmp_path, f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", "-1")
    assert topology(tmp_path) == Topology(cores=2, threads=4)


def test_nothing_and_garbage(tmp_path: Path) -> None:
    assert topology(tmp_path) == Topology()
    put(tmp_path, "sys/devices/system/cpu/online", "all of them")
    put(tmp_path, "sys/devices/cpu_core/cpus", "0-")
    put(tmp_path, "sys/devices/system/node/node0/cpulist", "x")
    assert topology(tmp_path) == Topology()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0-3,8", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set[int]()),
        (None, set[int]()),
        ("1,x,3-2,-4", {1}),
        (" 0-1 , 4\n", {0, 1, 4}),
    ],
)
def test_lists(text: str | None, numbers: set[int]) -> None:
    assert cpu_list(text) == numbers


def test_an_endless_list_ends() -> None:
    assert len(cpu_list("0-99999999999")) == (1 << 16) + 1
