"""What lasts of an AMD GPU, once it is awake."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ...sample import Device
from ..drm.card import DrmCard
from ..entries import entries, there
from ..files import read_text
from .kfd import KfdNode, main_memory_mts
from .memory import AmdMemory, memory_type, peak_bandwidth
from .metrics import AmdMetrics, amd_metrics
from .sensors import AmdSensors
from .smi import smi_facts, with_library

_SHADERS = 64
"""Of one compute unit."""
_ACCELERATED = "1002:74a0"
"""Instinct MI300A: an APU whose table is that of a card, with HBM as its main memory."""
_TWO_DIES = {"1002:7408", "1002:740c"}
"""Instinct MI250 and MI250X: the power of both dies stands with the first (aldebaran_ppt.c in Linux)."""


class AmdFacts(Struct, frozen=True, kw_only=True):
    """One card, and what reads it."""

    device: Device
    sensors: AmdSensors | None
    """None where the system shows none."""
    memory: AmdMemory
    tells: bool
    """Whether anything of `gpu_metrics` can be used."""


def amd_facts(root: Path, card: DrmCard, base: Device, nodes: Sequence[KfdNode], table: bytes) -> AmdFacts:
    """Of one card; `base` is what was known before, `table` the content of `gpu_metrics`."""
    node = nodes[0] if nodes else None
    library = None if node else smi_facts(card.pci_address)
    hwmon = next(iter(entries(card.folder / "hwmon", "hwmon*")), None)
    sensors = AmdSensors(hwmon) if hwmon else None
    metrics = amd_metrics(table, base.architecture)
    with_hbm = card.pci_id == _ACCELERATED
    apu = with_hbm or bool(sensors and sensors.northbridge) or bool(metrics and metrics.apu)
    memory = AmdMemory(card.folder, apu=apu and not with_hbm)
    limits = sensors.limits() if sensors else ()
    first = limits[0] if limits else None
    told = peak_bandwidth(node, metrics, apu=apu, main_memory_mts=main_memory_mts(root) if apu else None)
    device = replace(
        with_library(base, library),
        memory_total_bytes=memory.total_bytes,
        power_limit_min_w=first.min_w if first else None,
        power_limit_max_w=first.max_w if first else None,
        power_limit_default_w=first.default_w if first else None,
        bandwidth_gbs=library.bandwidth_gbs if library and not apu and told.peak is None else told,
        memory_type=memory_type(node, apu=apu) or (library.memory_type if library else None),
        unified_memory=apu,
        carveout_bytes=memory.carveout_bytes,
        ecc=True if there(card.folder / "ras/umc_err_count") else None,
        uuid=_uuid(card, nodes),
        unread=_unread(card, sensors, apu=apu, limited=bool(limits)),
        remarks=_remarks(root, card, nodes, apu=apu),
    )
    tells = metrics is not None and metrics != AmdMetrics(apu=metrics.apu)
    return AmdFacts(device=device, sensors=sensors, memory=memory, tells=tells)


def shaders(nodes: Sequence[KfdNode]) -> int | None:
    """Of all parts of a GPU."""
    units = sum(node.units or 0 for node in nodes)
    return units * _SHADERS or None


def _uuid(card: DrmCard, nodes: Sequence[KfdNode]) -> str | None:
    """As ROCm and ROCR_VISIBLE_DEVICES call it; APUs and some cards have none. Parts have numbers of their own."""
    if len(nodes) == 1 and nodes[0].unique_id:
        return f"GPU-{nodes[0].unique_id:016x}"
    number = read_text(card.folder / "unique_id") or ""
    return f"GPU-{number}" if number.strip("0") else None


def _unread(card: DrmCard, sensors: AmdSensors | None, *, apu: bool, limited: bool) -> tuple[str, ...]:
    if sensors is None:
        return (f"power, clocks and temperatures: the driver shows no sensors ({card.folder}/hwmon is not there)",)
    if (card.pci_id in _TWO_DIES) and sensors.read().average_w is None:
        return ("power: this die tells none; that of both stands with the other one",)
    if apu and not limited:
        return ("power limit: amdgpu tells none of this APU; the firmware of the machine sets it",)
    return ()


def _remarks(root: Path, card: DrmCard, nodes: Sequence[KfdNode], *, apu: bool) -> tuple[str, ...]:
    told: list[str] = []
    if apu:
        told.append("its power is that of the whole chip, with the cores of the CPU")
    if len(nodes) > 1:
        modes = [read_text(card.folder / f"current_{what}_partition") for what in ("compute", "memory")]
        words = " and ".join(filter(None, modes))
        how = f" ({words})" if words else ""
        told.append(f"it is partitioned{how}: programs see {len(nodes)} devices, which share its power and its memory")
    doors = [each.name for each in entries(card.folder / "drm", "renderD*")]
    if doors and not any(there(root / "dev/dri" / name) for name in doors):
        told.append(
            f"no program can use it here: /dev/dri/{doors[0]} is not there, as in a container that is not given it"
        )
    return tuple(told)
