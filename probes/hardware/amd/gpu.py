"""One AMD GPU: its lasting facts, read once, and what moves, read each time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from msgspec.structs import replace

from ...sample import Device, Fabric
from ..drm.card import DrmCard, asleep, pcie
from ..drm.processes import DrmProcesses
from ..entries import there
from ..files import read_number, read_text
from .facts import AmdFacts, amd_facts
from .kfd import KfdNode
from .metrics import AmdMetrics, amd_metrics
from .power import AmdPower
from .processes import AmdProcesses
from .sensors import AmdReadings
from .throttle import AmdThrottle

_LINK_S = 10.0
"""Seconds between two looks at the link to the host."""
_REST_S = 10.0
"""Seconds for which an idle card is left alone: twice the 5 s of idleness after which amdgpu lets one fall asleep."""
_EMPTY = 256 << 20
"""Bytes below which nobody has a model on it, nor a screen."""


class AmdGpu:
    """Reads one card."""

    def __init__(
        self,
        root: Path,
        card: DrmCard,
        *,
        base: Device,
        nodes: Sequence[KfdNode],
        files: DrmProcesses,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`base` is what is known without asking the driver, `nodes` are those of this card, one for each part."""
        self._root = root
        self._card = card
        self._facts = base
        self._nodes = nodes
        self._files = files
        self._clock = clock
        self._met: AmdFacts | None = None
        self._users: AmdProcesses | None = None
        self._throttle = AmdThrottle()
        self._power = AmdPower(clock)
        self._link_due = float("-inf")
        self._newest: Device | None = None
        self._rests_until = 0.0

    def known(self) -> tuple[Device, ...]:
        """What can be said of it without asking its driver."""
        return (self._facts,)

    def read(self) -> tuple[Device, ...]:
        """One reading; a card that sleeps is let sleep, and one that is gone is told."""
        folder = self._card.folder
        if not there(folder / "uevent"):
            self._met = None
            return (self._facts.lasting("it is gone: unplugged, or its driver has been unloaded"),)
        if asleep(folder):
            told = self._facts.lasting("it sleeps: nothing runs on it")
            return (replace(told, processes=self._files.holding_asleep(self._card.pci_address or "")),)
        if self._met is None:
            self._meet()
        return (self._now(self._met),) if self._met else (self._facts,)

    def _meet(self) -> None:
        """Learns what lasts."""
        card = self._card
        met = amd_facts(self._root, card, self._facts, self._nodes, self._table())
        self._met, self._facts = met, met.device
        self._newest = None
        self._link_due = float("-inf")
        self._users = AmdProcesses(
            self._root, self._files, self._clock, address=card.pci_address or "", apu=bool(met.device.unified_memory)
        )

    def _now(self, met: AmdFacts) -> Device:
        now = self._clock()
        used = met.memory.used()
        processes = self._users.read([node.gpu_id for node in self._nodes], used) if self._users else None
        if self._newest and now < self._rests_until and used == self._newest.memory_used_bytes:
            return replace(self._newest, processes=processes)
        self._look_at_link(now)
        readings = met.sensors.read() if met.sensors else AmdReadings()
        busy = read_number(self._card.folder / "gpu_busy_percent")
        metrics = amd_metrics(self._table(), self._facts.architecture) if met.tells else None
        limits = met.sensors.limits() if met.sensors else ()
        power = self._power.read(readings, metrics)
        utilization = min(busy / 100, 1.0) if busy is not None and busy >= 0 else None
        device = replace(
            self._facts,
            memory_used_bytes=used,
            utilization=utilization,
            temperature_c=readings.edge_c if readings.edge_c is not None else readings.junction_c,
            hotspot_c=readings.junction_c,
            memory_temperature_c=readings.memory_c,
            sm_clock_mhz=readings.clock_mhz,
            memory_clock_mhz=readings.memory_clock_mhz,
            power_w=power.power_w,
            power_instant_w=power.instant_w,
            energy_j=metrics.energy_j if metrics else None,
            power_limit_w=limits[0].value_w if limits else None,
            limits=limits,
            throttle_reasons=self._reasons(metrics, utilization),
            fabric=self._fabric(metrics),
            processes=processes,
        )
        if readings.silent and busy is None and self._newest:
            return device.lasting("its sensors answer no more: it is being reset, or falling asleep")
        self._newest = device
        self._rests_until = now + _REST_S if self._may_fall_asleep(device) else now
        return device

    def _may_fall_asleep(self, device: Device) -> bool:
        """Whether only the reading of its sensors would keep it awake (before Linux 6.14 each one counts as use)."""
        used = device.memory_used_bytes
        if device.unified_memory or device.utilization or used is None or used > _EMPTY:
            return False
        return read_text(self._card.folder / "power/control") == "auto"

    def _look_at_link(self, now: float) -> None:
        """An APU is on the die of the CPU: it has no link to speak of."""
        if now >= self._link_due and not self._facts.unified_memory:
            self._link_due = now + _LINK_S
            self._facts = replace(self._facts, pcie=pcie(self._card.folder))

    def _reasons(self, metrics: AmdMetrics | None, utilization: float | None) -> tuple[str, ...]:
        """Of a GPU that works: on one that rests some firmware leaves bits standing."""
        reasons = self._throttle.read(metrics) if metrics else ()
        return () if utilization == 0 else reasons

    def _fabric(self, metrics: AmdMetrics | None) -> Fabric | None:
        links = self._nodes[0].links if self._nodes else 0
        if not links:
            return None
        rate = metrics.link_gbs if metrics else None
        return Fabric(name="xGMI", links=links, gbs=links * rate if rate else self._nodes[0].links_gbs)

    def _table(self) -> bytes:
        try:
            return (self._card.folder / "gpu_metrics").read_bytes()
        except OSError:
            return b""
