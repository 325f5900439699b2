"""A detected device with what the catalogue knows of it, where the driver says nothing."""

from collections.abc import Callable
from functools import cache, lru_cache

from msgspec import Struct
from msgspec.structs import replace

from ...probes.sample import Bandwidth, Compute, Device
from .device_names import normalise
from .devices import CatalogueDevice, device_names, devices
from .names import LONGEST

_LOWEST, _HIGHEST = 0.87, 1.01
"""A driver's count of the memory over what is sold: ECC and the driver itself take their share."""
_SLICE = 0.7
"""With less than this share of the memory it is a part of a card, or another card of the same name."""


LANES = 64
"""Shader cores in a compute unit of AMD."""


class _Told(Struct, frozen=True):
    """What tells one device from another."""

    pci_id: str | None
    name: str
    vendor: str
    kind: str
    memory_bytes: int | None
    cores: int | None
    unified_memory: bool | None


class _Match(Struct, frozen=True):
    """The rows that it may be, the likeliest left only, and how they were found."""

    rows: tuple[CatalogueDevice, ...]
    how: str


def recognise(device: Device) -> Device:
    """Fills in the bandwidth, rates, memory type, architecture and power limit that the probe could not tell.

    A device is matched by its PCI id, among rows of one id by name, then memory size, then cores; without a known id
    by its full name, if the vendor is the same. Where several rows remain, what they agree on is filled in. Nothing
    that the probe told is changed, and a device that is not known, or is a part of another, comes back as it is.
    """
    if device.parent:
        return device
    match = _match(
        _Told(
            device.pci_id,
            device.name,
            device.vendor,
            device.kind,
            device.memory_total_bytes,
            device.cores,
            device.unified_memory,
        )
    )
    if match is None:
        return device
    sockets = _sockets(device, match.rows)
    name = " or ".join(row.name for row in match.rows)
    source = f"catalogue: {name}, matched by {match.how}"
    agreed = _Agreed(match.rows)
    return replace(
        device,
        bandwidth_gbs=_bandwidth(device.bandwidth_gbs, agreed.number(lambda row: row.bandwidth_gbs), sockets, source),
        compute_tflops=_compute(device.compute_tflops, agreed, sockets, source),
        memory_type=device.memory_type or agreed.word(lambda row: row.memory_class),
        architecture=device.architecture or agreed.word(lambda row: row.architecture),
        power_limit_default_w=_power(device.power_limit_default_w, agreed.number(lambda row: row.tdp_w), sockets),
    )


class _Agreed:
    """Facts that all rows have in common; None where they differ."""

    def __init__(self, rows: tuple[CatalogueDevice, ...]) -> None:
        self._rows = rows

    def number(self, fact: Callable[[CatalogueDevice], float | None]) -> float | None:
        values = {fact(row) for row in self._rows}
        return values.pop() if len(values) == 1 else None

    def word(self, fact: Callable[[CatalogueDevice], str | None]) -> str | None:
        values = {fact(row) for row in self._rows}
        return values.pop() if len(values) == 1 else None


def _bandwidth(told: Bandwidth, peak: float | None, sockets: int, source: str) -> Bandwidth:
    if told.peak is not None or peak is None:
        return told
    words = f"{source}, {sockets} sockets" if sockets > 1 else source
    return replace(told, peak=peak * sockets, basis=f"{words}; {told.basis}" if told.basis else words)


def _compute(told: Compute, agreed: _Agreed, sockets: int, source: str) -> Compute:
    """All rates or none: rates of two sources do not belong together."""
    if told.fp32 is not None or told.fp16 is not None or told.int8 is not None:
        return told
    fp32, fp16, int8 = (
        None if rate is None else rate * sockets
        for rate in (
            agreed.number(lambda row: row.fp32_tflops),
            agreed.number(lambda row: row.fp16_tflops),
            agreed.number(lambda row: row.int8_tops),
        )
    )
    if fp32 is None and fp16 is None and int8 is None:
        return told
    return Compute(fp32=fp32, fp16=fp16, int8=int8, basis=source)


def _power(told: float | None, tdp_w: float | None, sockets: int) -> float | None:
    return tdp_w * sockets if told is None and tdp_w is not None else told


def _sockets(device: Device, rows: tuple[CatalogueDevice, ...]) -> int:
    """CPUs in the machine: the device is all of them, a row is one."""
    units = rows[0].units
    if device.kind != "cpu" or not units or not device.cores or device.cores % units:
        return 1
    return device.cores // units


@lru_cache(256)
def _match(told: _Told) -> _Match | None:
    known = _by_pci_id().get(told.pci_id.lower(), []) if told.pci_id else []
    named = _named(told)
    if known:
        rows, how = [row for row in known if row in named] or known, "PCI id"
    else:
        rows, how = [row for row in named if _may_be(row, told)], "name"
    rows = _narrowed(rows, lambda row: _fits(row, told.memory_bytes))
    if told.cores and told.kind == "apple":
        rows = _narrowed(rows, lambda row: row.units == told.cores)
    if told.cores and told.vendor == "AMD" and told.kind == "gpu":
        units = told.cores // LANES
        rows = _narrowed(rows, lambda row: row.units == units)
    return _Match(tuple(rows), how) if rows else None


def _may_be(row: CatalogueDevice, told: _Told) -> bool:
    """Whether a name alone may stand for the row: a card is no APU of the same name.

    Arm CPUs have the vendor of their core, so theirs tells nothing.
    """
    if row.kind == "cpu":
        return True
    if row.kind == "apu" and told.unified_memory is False:
        return False
    bytes_ = told.memory_bytes
    enough = bytes_ is None or row.unified_memory or bytes_ >= _SLICE * (row.memory_bytes or 0)
    return enough and row.vendor.casefold() == told.vendor.casefold()


def _narrowed(rows: list[CatalogueDevice], test: Callable[[CatalogueDevice], bool]) -> list[CatalogueDevice]:
    """The rows that pass, or all where none does."""
    if len(rows) < 2:
        return rows
    return [row for row in rows if test(row)] or rows


def _fits(row: CatalogueDevice, memory_bytes: int | None) -> bool:
    """Whether the card is sold with so much memory. That of APUs is what the owner put in, so it tells nothing."""
    listed = row.memory_bytes
    if memory_bytes is None or listed is None or row.unified_memory:
        return False
    return _LOWEST * listed <= memory_bytes <= _HIGHEST * listed


def _named(told: _Told) -> list[CatalogueDevice]:
    """Rows of this kind with this name: with its memory behind it where there is such a row.

    The CPU of an APU has the APU's name and "CPU" behind it.
    """
    kinds = {"gpu", "apu"} if told.kind == "gpu" else {told.kind}
    more = "CPU" if told.kind == "cpu" else f"{round((told.memory_bytes or 0) / (1 << 30))}GB"
    for text in (f"{normalise(told.name[:LONGEST])} {more}", told.name):
        found = [devices()[key] for key in device_names().candidates(text)]
        rows = [row for row in found if row.kind in kinds]
        if rows:
            return rows
    return []


@cache
def _by_pci_id() -> dict[str, list[CatalogueDevice]]:
    index: dict[str, list[CatalogueDevice]] = {}
    for row in devices().values():
        for pci_id in row.pci_ids:
            index.setdefault(pci_id, []).append(row)
    return index
