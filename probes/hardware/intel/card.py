"""One Intel GPU, discrete or integrated, served by i915 or xe."""

import sys
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from ...sample import Bandwidth, Device, DeviceProcess, Pcie
from ..dimms.layout import MemoryFacts, memory_facts
from ..drm.card import DrmCard, asleep, driver_words, pcie
from ..drm.processes import DrmProcesses
from ..entries import entries, there
from ..files import read_number, read_text
from ..host.main_memory import MainMemory
from .clock import IntelClock
from .names import intel_name
from .query import GpuMemory, Ioctl, RenderNode
from .sensors import IntelSensors, Sensed

_SELDOM_S = 10.0
"""Seconds between two looks at what hardly changes."""
_RESTS = 0.02
"""A GPU that was awake for less of the time has nothing to do."""
_WORKS = 0.5
"""One that was awake for more of the time works for somebody."""
_OWN, _SHARED = ("local", "vram"), ("gtt", "system")
"""Regions of memory of i915 and xe."""
_LATELY_MS = 1_000


class IntelCard:
    """Reads one card. One that sleeps is left alone, one that has nothing to do is given the time to fall asleep."""

    def __init__(
        self,
        number: int,
        card: DrmCard,
        root: Path,
        *,
        clock: Callable[[], float],
        processes: DrmProcesses,
        ioctl: Ioctl | None = None,
    ) -> None:
        self._root = root
        self._card = card
        self._seconds = clock
        self._processes = processes
        self._main_memory = MainMemory(root)
        nodes = sorted(path.name for path in entries(card.folder / "drm", "renderD*"))
        self._node = RenderNode(root / "dev/dri" / nodes[0], card.driver, ioctl) if nodes else None
        self._clock = IntelClock(card)
        self._sensors = IntelSensors(card.folder, card.driver, clock)
        named = intel_name(card.pci_id, card.pci_address)
        self._facts = Device(
            id=f"intel{number}",
            name=named.name,
            vendor="Intel",
            kind="gpu",
            unified_memory=named.integrated,
            architecture=named.architecture,
            pci_id=card.pci_id,
            pci_address=card.pci_address,
            driver=driver_words(card.driver),
        )
        self._met = False
        self._tells_used = False
        self._link: Pcie | None = None
        self._link_due = float("-inf")
        self._last: Device | None = None
        self._rests_until = float("-inf")

    def known(self) -> tuple[Device, ...]:
        """What its PCI id tells, until it was met."""
        return (self._facts,)

    def read(self) -> tuple[Device, ...]:
        """One reading; the previous one again while it is left alone."""
        now = self._seconds()
        trouble, holding = None, None
        if not there(self._card.folder / "uevent"):
            trouble = "it is gone: unplugged, or its driver has been unloaded"
        elif asleep(self._card.folder):
            trouble = "it sleeps: nothing runs on it, and to read its sensors would wake it"
            holding = self._processes.holding_asleep(self._card.pci_address or "")
        if trouble:
            self._sensors.begin_anew()
            self._last = None
            return (replace(self._facts.lasting(trouble), processes=holding),)
        if self._last is not None and now < self._rests_until and not self._clock.stirring():
            return (self._last,)
        if not self._met:
            self._meet()
        self._last = self._now(now)
        if self._last.utilization is not None and self._last.utilization < _RESTS and self._may_sleep():
            delay_ms = read_number(self._card.folder / "power/autosuspend_delay_ms") or _LATELY_MS
            self._rests_until = now + 2 * max(delay_ms, 0) / 1e3
        return (self._last,)

    def _meet(self) -> None:
        """Learns what lasts, from a card that is awake."""
        memory = self._node.memory() if self._node else None
        shape = self._node.shape() if self._node else None
        named = intel_name(self._card.pci_id, self._card.pci_address, shape.cores if shape else None)
        integrated = named.integrated if memory is None else not memory.total_bytes
        modules = memory_facts(self._root) if integrated else MemoryFacts()
        self._tells_used = bool(memory and memory.used_bytes is not None)
        self._facts = replace(
            self._facts,
            name=named.name,
            unified_memory=integrated,
            memory_total_bytes=self._main_memory.read().total_bytes if integrated else memory and memory.total_bytes,
            memory_type=(modules.type or "").rstrip("0123456789") or None,
            bandwidth_gbs=_bandwidth(modules),
            cores=shape.lanes if shape else None,
            unread=tuple(self._unread(memory, integrated=integrated)),
            remarks=tuple(self._remarks(memory, integrated=integrated)),
        )
        # A node that could not be opened may be given away later, as when somebody joins the group.
        self._met = memory is not None or self._node is None

    def _now(self, now: float) -> Device:
        facts = self._facts
        sensed = self._sensors.read()
        pace = self._clock.read(now)
        used_bytes = self._used_bytes()
        limit = sensed.limit
        return replace(
            facts,
            memory_used_bytes=used_bytes,
            utilization=pace.awake,
            temperature_c=sensed.temperature_c,
            memory_temperature_c=sensed.memory_temperature_c,
            sm_clock_mhz=pace.clock_mhz,
            power_w=sensed.power_w,
            energy_j=sensed.energy_j,
            power_limit_w=limit.value_w if limit else None,
            power_limit_max_w=limit.max_w if limit else None,
            power_limit_default_w=limit.default_w if limit else None,
            limits=sensed.limits,
            throttle_reasons=pace.throttle_reasons,
            pcie=None if facts.unified_memory else self._pcie(now),
            processes=self._users(used_bytes, pace.awake),
            unread=(*facts.unread, *_forbidden(sensed)),
        )

    def _used_bytes(self) -> int | None:
        memory = self._node.memory() if self._node and self._tells_used else None
        return memory.used_bytes if memory else None

    def _users(self, used_bytes: int | None, awake: float | None) -> tuple[DeviceProcess, ...] | None:
        """None as well where it works for somebody else than those who are known: other users' files are not read.

        Of an integrated GPU nobody tells how much of the host's memory it has, so one that rests has no user.
        """
        if self._card.pci_address is None:
            return None
        shared = bool(self._facts.unified_memory)
        at_work = awake is None or awake >= _WORKS
        in_use = 0 if shared and not at_work else used_bytes
        found = self._processes.read(self._card.pci_address, _SHARED if shared else _OWN, in_use)
        worked = [process.utilization for process in found or ()]
        known = [share for share in worked if share is not None]
        hides = used_bytes is None and awake is not None and at_work and sum(known) < _WORKS * awake
        return None if found and hides and len(known) == len(worked) else found

    def _pcie(self, now: float) -> Pcie | None:
        if now >= self._link_due:
            self._link_due = now + _SELDOM_S
            self._link = pcie(self._card.folder)
        return self._link

    def _may_sleep(self) -> bool:
        """Whether the kernel may switch it off: allowed to, and no display hangs on it."""
        if read_text(self._card.folder / "power/control") != "auto":
            return False
        entry = self._card.folder.parent
        return not any(read_text(file) == "enabled" for file in entries(entry, f"{entry.name}-*/enabled"))

    def _unread(self, memory: GpuMemory | None, *, integrated: bool) -> list[str]:
        said: list[str] = []
        node = self._node
        if integrated:
            return said
        if node and node.forbidden:
            said.append(
                f"memory: {node.file} may be opened by the group render only; "
                "sudo usermod -aG render $USER allows it from the next login on"
            )
        elif node and memory is None and not there(node.file):
            said.append(f"memory: {node.file} is not here; in a container, docker run --device /dev/dri brings it")
        elif memory and memory.used_bytes is None:
            said.append(
                "memory in use: the driver tells it to root and with CAP_PERFMON only; "
                f"sudo setcap cap_perfmon=ep {Path(sys.executable).resolve()} allows it to every program of this Python"
            )
        missing = [("power", self._sensors.counts), ("temperature", self._sensors.has_temperature)]
        words = " and ".join(name for name, there in missing if not there)
        if words:
            said.append(f"{words}: {driver_words(self._card.driver)}, tells nothing of it; newer kernels may")
        return said

    def _remarks(self, memory: GpuMemory | None, *, integrated: bool) -> list[str]:
        said: list[str] = []
        if integrated:
            said.append("its power is counted with that of the CPU")
        if self._sensors.counts == "package":
            said.append("its power is that of the GPU package; what else is on the card is not counted")
        if memory and memory.visible_bytes and memory.visible_bytes < memory.total_bytes:
            said.append(
                f"the CPU reaches {memory.visible_bytes >> 20} MiB of its {memory.total_bytes >> 20} MiB of memory: "
                "the resizable BAR is off; the firmware setup of the machine switches it on"
            )
        return said


def _bandwidth(modules: MemoryFacts) -> Bandwidth:
    """Of the main memory as it is fitted here, where the firmware tells; else the catalogue knows the usual."""
    if modules.peak_gbs is None:
        return Bandwidth()
    speeds = " and ".join(str(mts) for mts in sorted({channel.mts or 0 for channel in modules.channels}))
    channels = "1 channel" if len(modules.channels) == 1 else f"{len(modules.channels)} channels"
    return Bandwidth(
        peak=modules.peak_gbs,
        basis=f"main memory: {channels} at {speeds} MT/s ({modules.basis})",
    )


def _forbidden(sensed: Sensed) -> tuple[str, ...]:
    file = sensed.forbidden
    if file is None:
        return ()
    return (f"power: {file} may be read by root only; sudo chmod a+r {file} allows it until the next boot",)
