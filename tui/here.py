"""The devices of this machine, with what the catalogue knows of them."""

from msgspec import Struct

from ..estimator.catalogue.recognise import recognise
from ..probes.hardware import detect
from ..probes.sample import Device, Devices


class Here(Struct, frozen=True, kw_only=True):
    """What was found."""

    gpus: tuple[Device, ...]
    cpu: Device | None
    problems: tuple[str, ...] = ()
    """Why some may be missing."""


def here() -> Here:
    """One look at the hardware."""
    readings = [reading for reading in (probe.read() for probe in detect()) if isinstance(reading, Devices)]
    devices = [recognise(device) for reading in readings for device in reading.devices]
    return Here(
        gpus=tuple(device for device in devices if device.kind != "cpu"),
        cpu=next((device for device in devices if device.kind == "cpu"), None),
        problems=tuple(reading.problem for reading in readings if reading.problem),
    )
