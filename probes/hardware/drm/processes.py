"""Who holds memory on the graphics cards, and for whom they work: from the open files of all processes.

The files of other users' processes may not be read, and hardly any of those has to do with a card. What is told is
therefore who is known; that nobody holds a card is said only when next to nothing of its memory is in use.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock
from time import monotonic

from msgspec import Struct

from ...sample import DeviceProcess
from ..entries import entries
from ..files import ROOT, read_text
from .card import asleep
from .client import DrmClient, Engine, drm_client

_LISTED_S = 4.0
"""Seconds between two looks at the processes."""
_PATIENCE_S = 0.2
"""Seconds to wait for another thread's look, which takes some hundredths."""
_STALE_S = 16.0
"""Seconds after which the last look says nothing of now: a card that hangs has held up the next one."""
_LONGEST_S = 64.0
"""Seconds after which a process that had no card open is looked at again: each look in vain doubles the wait."""
_NOBODY = 512 << 20
"""Bytes that are in use on a card without anybody's program: firmware, page tables, a console."""
_DEVICES = ("/dev/dri/", "/dev/kfd")


class _Look(Struct):
    """When a process is due, and what the last look found."""

    due: float
    wait_s: float = _LISTED_S
    hidden: bool = False


class DrmProcesses:
    """One for all cards of the machine; may be asked by several threads."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = monotonic) -> None:
        self._proc = root / "proc"
        self._nodes = root / "sys/class/drm"
        self._sleeping: dict[str, str] = {}
        self._openers: defaultdict[str, set[int]] = defaultdict(set)
        self._clock = clock
        self._busy = Lock()
        self._due = float("-inf")
        self._looks: dict[int, _Look] = {}
        self._before: dict[tuple[str, str], dict[str, Engine]] = {}
        self._when: float | None = None
        self._found: dict[str, dict[int, _Holding]] | None = None

    def read(
        self, address: str, regions: Collection[str], used_bytes: int | None = None
    ) -> tuple[DeviceProcess, ...] | None:
        """The processes on the card at a PCI address. None when nobody is known and somebody may be there.

        Args:
            address: as "0000:03:00.0".
            regions: memories that count, without a number behind them: "vram", "local".
            used_bytes: what is in use there in all.
        """
        self._look()
        if self._found is None or self._when is None or self._clock() - self._when > _STALE_S:
            return None
        held = self._found.get(address, {})
        if not held and (self._hidden() if used_bytes is None else used_bytes > _NOBODY):
            return None
        return tuple(
            DeviceProcess(
                pid,
                sum(size for region, size in each.memory.items() if region.rstrip("0123456789") in regions),
                each.utilization,
            )
            for pid, each in sorted(held.items())
        )

    def holding_asleep(self, address: str) -> tuple[DeviceProcess, ...]:
        """The known processes that have a card open which sleeps, without what they hold: to ask would wake it."""
        self._look()
        return tuple(DeviceProcess(pid) for pid in sorted(self._openers.get(address, ())))

    def _hidden(self) -> bool:
        return any(look.hidden for look in self._looks.values())

    def _look(self) -> None:
        """Looks, if it is time. Another thread that is at it is waited for, not long: a hanging card holds it up."""
        now = self._clock()
        if now < self._due or not self._busy.acquire(timeout=_PATIENCE_S):
            return
        try:
            if now >= self._due:
                self._scan(now)
                self._due = now + _LISTED_S
        finally:
            self._busy.release()

    def _scan(self, now: float) -> None:
        try:
            pids = sorted(int(name) for name in _names(self._proc) if name.isdigit())
        except OSError:
            self._found = None
            return
        self._sleeping = {
            f"/dev/dri/{node.name}": (node / "device").resolve().name
            for node in entries(self._nodes, "*")
            if asleep(node / "device")
        }
        openers: defaultdict[str, set[int]] = defaultdict(set)
        self._looks = {pid: self._looks.get(pid) or _Look(now) for pid in pids}
        clients: dict[tuple[str, str], tuple[int, DrmClient]] = {}
        for pid, look in self._looks.items():
            if look.due > now:
                continue
            mine, sleeping = self._clients(pid, look)
            for address in sleeping:
                openers[address].add(pid)
            uses = bool(mine or sleeping)
            look.wait_s = _LISTED_S if uses else min(2 * look.wait_s, _LONGEST_S)
            look.due = now if uses else now + look.wait_s
            for client in mine:
                # A child that inherited the file comes after its parent, and counts no second time.
                clients.setdefault((client.card, client.number), (pid, client))
        self._found = self._count(clients, None if self._when is None else now - self._when)
        self._openers = openers
        self._before = {key: client.engines for key, (_, client) in clients.items()}
        self._when = now

    def _clients(self, pid: int, look: _Look) -> tuple[list[DrmClient], set[str]]:
        """Of one process, and the cards it has open that sleep; none where it is gone or may not be looked at.

        What is held on a card that sleeps is not asked: that would wake one of `xe`.
        """
        folder = self._proc / str(pid)
        look.hidden = False
        try:
            names = _names(folder / "fd")
        except PermissionError:
            look.hidden = True
            return [], set()
        except OSError:
            return [], set()
        opened = {name: target for name in names if (target := _target(f"{folder}/fd/{name}")).startswith(_DEVICES)}
        sleeping = {self._sleeping[target] for target in opened.values() if target in self._sleeping}
        texts = (read_text(folder / "fdinfo" / name) for name, to in opened.items() if to not in self._sleeping)
        found = [drm_client(text) for text in texts if text]
        return [client for client in found if client], sleeping

    def _count(
        self, clients: dict[tuple[str, str], tuple[int, DrmClient]], seconds: float | None
    ) -> "dict[str, dict[int, _Holding]]":
        """By card and process."""
        found: defaultdict[str, dict[int, _Holding]] = defaultdict(dict)
        for key, (pid, client) in clients.items():
            holding = found[client.card].setdefault(pid, _Holding())
            for region, size in client.memory.items():
                holding.memory[region] = holding.memory.get(region, 0) + size
            before = self._before.get(key)
            if before is not None and seconds:
                holding.known = True
                for name, engine in client.engines.items():
                    share = _share(before.get(name, Engine(0, 0)), engine, seconds)
                    holding.shares[name] = holding.shares.get(name, 0.0) + share
        return dict(found)


class _Holding:
    """What one process has on one card."""

    def __init__(self) -> None:
        self.memory: dict[str, int] = {}
        self.shares: dict[str, float] = {}
        self.known = False

    @property
    def utilization(self) -> float | None:
        """That of the engine that works most for it; an engine that never did is not listed."""
        return min(max(self.shares.values(), default=0.0), 1.0) if self.known else None


def _share(before: Engine, now: Engine, seconds: float) -> float:
    """Of the time between two looks. A count that falls will catch up (see the documentation), and says nothing now."""
    total = seconds * 1e9 if now.total is None else now.total - (before.total or 0)
    return max(now.busy - before.busy, 0) / (total * now.capacity) if total > 0 else 0.0


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _target(link: str) -> str:
    """Asked of each open file of the machine, so without a `Path` for each."""
    try:
        return os.readlink(link)  # noqa: PTH115
    except OSError:
        return ""
