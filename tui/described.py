"""A machine that is described in words, as `--hardware` takes it, and what was taken where nothing was said."""

import re
from collections.abc import Sequence

from msgspec import Struct

from ..estimator.catalogue.devices import devices
from ..estimator.catalogue.machine_words import machine
from ..probes.sample import Device
from .refusal import WrongUsage


class Described(Struct, frozen=True, kw_only=True):
    """Its parts."""

    gpus: tuple[Device, ...] = ()
    """Graphics cards, APUs or an Apple chip."""
    cpus: tuple[Device, ...] = ()
    notes: tuple[str, ...] = ()
    """What was taken, one line each."""


def described(descriptions: Sequence[str]) -> Described:
    """The parts of a machine that is described in one text or several.

    Raises:
        UnknownName: a part is in no catalogue.
        WrongUsage: an Apple chip has RAM beside it.
    """
    found = [device for text in descriptions for device in machine(text)]
    gpus = tuple(device for device in found if device.kind != "cpu")
    cpus = tuple(device for device in found if device.kind == "cpu")
    chip = next((device for device in gpus if device.kind == "apple"), None)
    if chip and cpus:
        raise WrongUsage(f"{chip.name} has no memory but its own: write its size behind it, as in '{chip.name} 64GB'")
    words = " ".join(descriptions)
    notes = [*(note for device in gpus for note in _most(device, words)), *(note for cpu in cpus for note in _ram(cpu))]
    return Described(gpus=gpus, cpus=cpus, notes=tuple(dict.fromkeys(notes)))


def _most(device: Device, words: str) -> list[str]:
    """That the largest memory was taken of a chip whose owner chose its size."""
    row = devices().get(device.name)
    if row is None or not row.largest_sold or device.memory_total_bytes != row.memory_bytes:
        return []
    if re.search(rf"\b{row.memory_gb:.0f}\s*G", words, re.IGNORECASE):
        return []
    most = f"{row.memory_gb:.0f} GB"
    return [f"{row.name} is taken with {most} of memory, the most that is sold; write its size behind the name"]


def _ram(cpu: Device) -> list[str]:
    """What kind of RAM was taken."""
    told = cpu.bandwidth_gbs
    return [f"the RAM is taken as {told.basis}: {told.peak:.0f} GB/s"] if told.basis and "assumed" in told.basis else []
