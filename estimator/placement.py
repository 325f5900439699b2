"""Where a model's layers go: into the memory of the devices, and what does not fit onto the host's CPU."""

from msgspec import Struct

from ..probes.sample import Bandwidth, Compute, Device
from .memory import Memory, usable
from .setup import Stage, spread
from .silicon import shares_memory
from .software import Software

HOST = Device(
    id="host",
    name="host CPU",
    vendor="",
    kind="cpu",
    bandwidth_gbs=Bandwidth(peak=64.0, basis="two channels of DDR5-4000, assumed"),
    compute_tflops=Compute(fp32=1.0),
    memory_type="DDR",
    cores=8,
)
"""Stands for the host of a named GPU, of which nothing is known."""


class Placement(Struct, frozen=True, kw_only=True):
    """The stages, and whether the devices' own memory holds all of it; None where it is not known how much that is."""

    stages: tuple[Stage, ...]
    fits: bool | None
    missing_bytes: float = 0.0
    note: str | None = None


def place(devices: list[Device], software: Software, needed: Memory, host: Device | None = None) -> Placement:
    """Puts the layers onto the devices; an engine of llama.cpp's kin leaves the rest to the host's CPU.

    A device whose memory is not known is taken to hold everything. One that shares the memory of its CPU has nothing to
    leave it.
    """
    stages = spread(devices, software)
    room = [usable(device, software.engine.name) for device in devices]
    if any(each is None for each in room):
        return Placement(stages=stages, fits=None)
    missing = needed.total_bytes - sum(each or 0.0 for each in room)
    if missing <= 0:
        return Placement(stages=stages, fits=True)
    shared = any(device.kind != "gpu" or shares_memory(device) for device in devices)
    if shared or software.engine.kin != "llama.cpp":
        return Placement(stages=stages, fits=False, missing_bytes=missing)
    layers = needed.weights_bytes + needed.kv_bytes
    share = min(max(1.0 - missing / layers, 0.0), 1.0)
    rest = Stage(device=host or HOST, share=1.0 - share)
    kept = tuple(Stage(device=stage.device, share=stage.share * share, ways=stage.ways) for stage in stages)
    where = "the host's CPU" if host else f"a host CPU with {HOST.bandwidth_gbs.peak:.0f} GB/s, assumed"
    return Placement(
        stages=(*kept, rest) if share else (rest,),
        fits=False,
        missing_bytes=missing,
        note=f"{1.0 - share:.0%} of the layers on {where}",
    )
