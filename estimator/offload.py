"""What a running engine has left to the CPU of the host, by the memory that it holds on its GPUs."""

from collections.abc import Sequence

from ..probes.sample import Device, Engine, ModelFacts
from .catalogue.names import UnknownName
from .link import held
from .model import weight_bytes_read
from .roofline import Left, least_read, total_bandwidth
from .silicon import shares_memory
from .software import engine

_WORTH = 0.05
"""Share of the weights of a step below which what seems to be left is no more than the driver's rounding."""


def left_over(
    reading: Engine, facts: ModelFacts | None, serving: Sequence[Device], every: Sequence[Device]
) -> Left | None:
    """The weights that have no room in what the engine holds; None where they have, or it cannot be told.

    Only engines of the kin of llama.cpp leave layers to the host. What they hold on the GPUs is weights, cache and
    buffers, so that the weights beyond it are the least that the host must have.

    Args:
        reading: the engine.
        facts: its model.
        serving: the devices that it holds memory on.
        every: all devices of the machine.
    """
    cpu = next((device for device in every if device.kind == "cpu" and total_bandwidth([device])), None)
    read = weight_bytes_read(facts) if facts else None
    if cpu is None or not facts or not facts.weight_bytes or not read or not _leaves_layers(reading.engine):
        return None
    if not serving or any(device.kind != "gpu" or shares_memory(device) for device in serving):
        return None
    holding = [held(device, reading) for device in serving]
    if not all(holding):
        return None
    stored = facts.weight_bytes - sum(each or 0 for each in holding)
    return Left(host=cpu, stored_bytes=stored) if least_read(facts, stored) >= _WORTH * read else None


def _leaves_layers(name: str) -> bool:
    try:
        return engine(name).kin == "llama.cpp"
    except UnknownName:
        return False
