"""The devices of this machine, with what the catalogue knows of them: one look, without engines."""

import time
from collections.abc import Sequence
from threading import Lock

from msgspec import Struct
from msgspec.structs import replace

from ..estimator.monitor import Monitor
from ..estimator.snapshot import Snapshot
from ..probes.hardware import detect
from ..probes.sample import Device, Sample
from ..probes.sampler import Sampler

SETTLE_S = 2.5
"""The longest that a source which hangs is waited for."""
AGAIN_S = 0.06
"""Seconds between two readings of a counter of energy: long against its steps of some milliseconds."""


class Here(Struct, frozen=True, kw_only=True):
    """What models can run on."""

    gpus: tuple[Device, ...]
    cpu: Device | None
    problems: tuple[str, ...] = ()
    """Why some may be missing."""


def here() -> Here:
    """The GPUs that a person would put a model on, and the CPU."""
    found = look()
    return Here(
        gpus=worthwhile([device for device in found.devices if device.kind != "cpu"]),
        cpu=next((device for device in found.devices if device.kind == "cpu"), None),
        problems=found.notes,
    )


def look() -> Snapshot:
    """Reads all hardware side by side: once, and once more where power is the difference of two readings."""
    monitor, lock = Monitor(), Lock()

    def take(sample: Sample) -> None:
        with lock:
            monitor.feed(sample)

    def snapshot() -> Snapshot:
        with lock:
            return monitor.snapshot()

    sampler = Sampler(take)
    first_readings = {probe.name: sampler.add(probe) for probe in detect(AGAIN_S)}
    deadline = time.monotonic() + SETTLE_S
    for first in first_readings.values():
        first.wait(max(deadline - time.monotonic(), 0.0))
    silent = [name for name, first in first_readings.items() if not first.is_set()]
    found = snapshot()
    if any(device.energy_j is not None and device.power_w is None for device in found.devices):
        time.sleep(1.5 * AGAIN_S)
        found = snapshot()
    sampler.stop()
    return replace(found, notes=(*found.notes, *(f"{name}: no answer within {SETTLE_S:g} s" for name in silent)))


def worthwhile(gpus: Sequence[Device]) -> tuple[Device, ...]:
    """Without those that are shared out into instances, and without what shares the CPU's memory beside real cards."""
    shared_out = {device.parent for device in gpus}
    whole = [device for device in gpus if device.id not in shared_out]
    cards = [device for device in whole if not (device.kind == "gpu" and device.unified_memory)]
    known = [device for device in whole if device.bandwidth_gbs.peak or device.bandwidth_gbs.measured]
    return tuple(cards or known)
