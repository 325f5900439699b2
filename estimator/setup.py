"""One question to the estimator: this model, in this engine, on these devices, under this load."""

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from .model import F16_BYTES
from .software import Software


class Stage(Struct, frozen=True, kw_only=True):
    """A device with its share of the model. Stages work one after the other on each token."""

    device: Device
    share: float = 1.0
    """Share of the layers, 0-1."""
    ways: int = 1
    """Over how many such devices each tensor of the share is split; they work at the same time."""


class Setup(Struct, frozen=True, kw_only=True):
    """What is asked."""

    facts: ModelFacts
    software: Software
    stages: tuple[Stage, ...]
    streams: float = 1.0
    """Requests that decode together."""
    context: float = 0.0
    """Tokens in the KV cache of each stream while it decodes."""
    kv_bytes_per_element: float = F16_BYTES
    small_host: bool = False
    """Whether a single-board computer or the like feeds the devices: starting kernels takes it longer."""
    threads: int | None = None
    """Threads of a CPU; None for one a core."""


def spread(devices: list[Device], software: Software) -> tuple[Stage, ...]:
    """The stages of a model that fits into the memory of the devices, split as the engine does it by default.

    Equal devices under a tensor-parallel engine make one stage; else each has layers in proportion to its memory.
    """
    ways = len(devices)
    if ways > 1 and software.engine.split == "tensors" and len({device.name for device in devices}) == 1:
        return (Stage(device=devices[0], ways=ways),)
    memory = [float(device.memory_total_bytes or 0) for device in devices]
    total = sum(memory)
    shares = [each / total for each in memory] if total and all(memory) else [1.0 / ways] * ways
    return tuple(Stage(device=device, share=share) for device, share in zip(devices, shares, strict=True))
