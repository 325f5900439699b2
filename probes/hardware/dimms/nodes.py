"""Where threads sit: near the memory that they use, spread over all memory controllers of the machine.

Layout: Documentation/ABI/stable/sysfs-devices-node in Linux (`cpulist`).
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from ..cpu.lists import cpu_list
from ..entries import entries
from ..files import ROOT, read_text

Seat = frozenset[int] | None
"""The processors of one node; None where there is one node, or nobody knows: the system's scheduler knows best then."""


def seats(threads: int, root: Path = ROOT) -> list[Seat]:
    """A seat for each thread, on every node in proportion to the processors that this process may use there."""
    nodes = _nodes(root)
    if len(nodes) < 2:
        return [None] * threads
    taken = dict.fromkeys(nodes, 0)
    found: list[Seat] = []
    for _ in range(threads):
        node = min(nodes, key=lambda each: ((taken[each] + 1) / len(each), min(each)))
        taken[node] += 1
        found.append(node)
    return found


def sit(seat: Seat) -> None:
    """Keeps the calling thread on its seat. Memory that it touches first lies there, too."""
    if sys.platform == "linux" and seat:
        with suppress(OSError):  # a processor may have gone offline: the thread runs where it may
            os.sched_setaffinity(0, seat)


def _nodes(root: Path) -> list[frozenset[int]]:
    """The processors of each node that this process may use; memory without processors is no seat."""
    if sys.platform != "linux":
        return []
    allowed = os.sched_getaffinity(0)
    folders = entries(root / "sys/devices/system/node", "node[0-9]*")
    found = (cpu_list(read_text(folder / "cpulist")) & allowed for folder in folders)
    return sorted(filter(None, found), key=min)
