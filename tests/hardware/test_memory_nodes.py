"""Threads are spread over the nodes of a machine, and stay near their memory."""

import os
import sys
import threading
from pathlib import Path

import pytest
from llmtop.probes.hardware.dimms.nodes import seats, sit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nodes are Linux's")


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The processors that this process may use."""
    found: set[int] = set(range(256))

    def affinity(_pid: int) -> set[int]:
        return found

    monkeypatch.setattr(os, "sched_getaffinity", affinity)
    return found


def machine(root: Path, *lists: str) -> Path:
    for number, text in enumerate(lists):
        folder = root / f"sys/devices/system/node/node{number}"
        folder.mkdir(parents=True)
        (folder / "cpulist").write_text(f"{text}\n")
    return root


@pytest.mark.usefixtures("allowed")
def test_one_node_and_none_leave_it_to_the_system(tmp_path: Path) -> None:
    assert seats(3, tmp_path) == [None, None, None]
    assert seats(2, machine(tmp_path, "0-15")) == [None, None]


@pytest.mark.usefixtures("allowed")
def test_two_sockets_get_alike(tmp_path: Path) -> None:
    left, right = frozenset({*range(64), *range(128, 192)}), frozenset({*range(64, 128), *range(192, 256)})
    root = machine(tmp_path, "0-63,128-191", "64-127,192-255")
    assert seats(4, root) == [left, right, left, right]
    assert [seats(128, root).count(node) for node in (left, right)] == [64, 64]


@pytest.mark.usefixtures("allowed")
def test_memory_without_processors_is_no_seat(tmp_path: Path) -> None:
    root = machine(tmp_path, "0-3", "4-7", "", "garbage")
    assert seats(2, root) == [frozenset(range(4)), frozenset(range(4, 8))]


def test_only_what_this_process_may_use(tmp_path: Path, allowed: set[int]) -> None:
    root = machine(tmp_path, "0-31", "32-63")
    allowed.clear()
    allowed.update({*range(24), *range(32, 40)})
    found = seats(8, root)
    assert [found.count(frozenset(range(24))), found.count(frozenset(range(32, 40)))] == [6, 2]
    allowed.difference_update(range(32, 64))
    assert seats(2, root) == [None, None]


def test_a_seat_is_that_of_one_thread() -> None:
    whole = os.sched_getaffinity(0)
    first = min(whole)
    found: list[set[int]] = []

    def work() -> None:
        sit(frozenset({first}))
        sit(None)
        sit(frozenset({100_000}))  # gone: the thread stays where it is
        found.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [{first}]
    assert os.sched_getaffinity(0) == whole
