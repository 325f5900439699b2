"""The devices that are known by name: bandwidth, rates, memory and power of GPUs, Apple chips and CPUs.

The rows are `devices.csv`; each says in `source` where its facts come from. Where a row gives bus width and transfer
rate, the bandwidth is their product. Rates of GPUs are units x boost clock x operations a clock (dense, float16
accumulation), those of CPUs cores x clock x FLOPs a cycle of their vector units.
"""

import csv
import re
from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from ...probes.sample import Bandwidth, Compute, Device
from .device_names import DETAIL, normalise
from .names import LONGEST, Names, UnknownName

ROWS = Path(__file__).with_name("devices.csv")
Kind = Literal["gpu", "apu", "apple", "cpu"]
_SIZED = re.compile(r"(.+?)[\s,(]*(\d{1,4})\s?G(?:i?B)?\)?", re.IGNORECASE)
"""A name with a size of memory behind it."""


class CatalogueDevice(Struct, frozen=True, kw_only=True):
    """One row. What a source does not say is None."""

    name: str
    aliases: tuple[str, ...] = ()
    vendor: str
    """As the probes write it: "NVIDIA", "AMD", "Intel", "Apple"."""
    kind: Kind
    """"apu" is a GPU that uses the memory of its CPU."""
    architecture: str | None = None
    """NVIDIA: the compute capability. AMD GPUs: the LLVM target. Apple: "M3". Intel GPUs: "Xe2". CPUs: the core."""
    bandwidth_gbs: float
    """Peak of the memory, in 1e9 bytes a second."""
    memory_gb: float | None = None
    """As it is sold; in truth GiB: a card of 24 GB has 24 x 2^30 bytes. Of APUs and Apple chips the largest sold."""
    memory_type: str | None = None
    """"GDDR6X", "HBM2e", "LPDDR5X", "DDR4"."""
    bus_bits: int | None = None
    memory_mts: float | None = None
    """Million transfers a second on each wire."""
    fp16_tflops: float | None = None
    fp32_tflops: float | None = None
    int8_tops: float | None = None
    tdp_w: float | None = None
    power_min_w: float | None = None
    power_max_w: float | None = None
    """Range that the power limit may be set to, where somebody reported it."""
    units: int | None = None
    """SMs of NVIDIA, compute units of AMD, Xe cores of Intel, GPU cores of Apple, cores of CPUs."""
    pci_ids: tuple[str, ...] = ()
    """"10de:2684": vendor and device. Several rows may share one."""
    source: str

    @property
    def unified_memory(self) -> bool:
        """Whether it shares the memory of the CPU."""
        return self.kind in {"apu", "apple"}

    @property
    def largest_sold(self) -> bool:
        """Whether the owner chose the memory, and the row has the largest that is sold."""
        chosen = self.kind == "apple" or (self.kind == "apu" and self.vendor != "NVIDIA" and self.memory_class != "HBM")
        return chosen and self.memory_gb is not None and self == devices().get(self.name)

    @property
    def memory_class(self) -> str | None:
        """As `Device.memory_type` has it: "HBM", "GDDR", "LPDDR" or "DDR"."""
        return (self.memory_type or "").rstrip("0123456789eEXx") or None

    @property
    def memory_bytes(self) -> int | None:
        """None of CPUs: their memory is what somebody put in."""
        return None if self.memory_gb is None else round(self.memory_gb * (1 << 30))

    def as_device(self, id: str) -> Device:  # noqa: A002 - the field's own name
        """The same type as a detected device, so that the estimator need not know the difference."""
        return Device(
            id=id,
            name=self.name,
            vendor=self.vendor,
            kind="gpu" if self.kind == "apu" else self.kind,
            memory_total_bytes=self.memory_bytes,
            power_limit_min_w=self.power_min_w,
            power_limit_max_w=self.power_max_w,
            power_limit_default_w=self.tdp_w,
            bandwidth_gbs=Bandwidth(peak=self.bandwidth_gbs, basis=f"catalogue: {self.bandwidth_words}"),
            compute_tflops=Compute(
                fp32=self.fp32_tflops,
                fp16=self.fp16_tflops,
                int8=self.int8_tops,
                basis=f"catalogue: {self.name} ({self.source})",
            ),
            memory_type=self.memory_class,
            unified_memory=self.unified_memory or None,
            architecture=self.architecture,
            cores=self.units if self.kind in {"cpu", "apple"} else None,
        )

    @property
    def bandwidth_words(self) -> str:
        """Where the bandwidth comes from, in words."""
        if self.bus_bits and self.memory_mts:
            return f"{self.name}, {self.bus_bits} bit x {self.memory_mts:.0f} MT/s ({self.source})"
        return f"{self.name} ({self.source})"

    @property
    def facts(self) -> Hashable:
        """All that the estimator reads: rows that are equal here may stand for each other."""
        return (
            *(self.vendor, self.kind, self.architecture, self.bandwidth_gbs, self.memory_gb, self.memory_type),
            *(self.fp16_tflops, self.fp32_tflops, self.int8_tops, self.units),
            *(self.tdp_w, self.power_min_w, self.power_max_w),
        )


@cache
def devices() -> Mapping[str, CatalogueDevice]:
    """All rows by name, in the order of the file."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return MappingProxyType({row[0]: _device(row) for row in rows})


@cache
def device_names() -> Names:
    """The names of all rows."""
    return Names(
        {name: row.aliases for name, row in devices().items()},
        "hardware",
        normalise=normalise,
        detail=DETAIL,
        details=lambda name: _details(devices()[name]),
        facts=lambda name: devices()[name].facts,
    )


def device(name: str) -> CatalogueDevice:
    """The device that a person means; one whose memory its owner chose may have the size behind its name.

    Raises:
        UnknownName: none has this name, or several that differ.
    """
    try:
        return devices()[device_names().find(name)]
    except UnknownName:
        sized = _sized(name)
        if sized is None:
            raise
        return sized


def _sized(name: str) -> CatalogueDevice | None:
    """For "M3 Max 30c 64GB"; None where it is no such name. Raises UnknownName where the rest may be several."""
    told = _SIZED.fullmatch(name.strip()) if len(name) <= LONGEST else None
    rows = [devices()[key] for key in device_names().candidates(told[1])] if told else []
    if not told or not rows or not all(row.largest_sold for row in rows):
        return None
    row = devices()[device_names().find(told[1])]
    return replace(row, memory_gb=float(told[2])) if 0 < int(told[2]) <= (row.memory_gb or 0) else None


def _details(row: CatalogueDevice) -> tuple[str, ...]:
    """What a driver adds to some names: "H100 80GB HBM3"."""
    memory = f"{row.memory_gb:.0f}gb" if row.memory_gb and not row.unified_memory else ""
    return tuple(word for word in (memory, (row.memory_type or "").lower()) if word)


def _device(row: list[str]) -> CatalogueDevice:
    """The columns in the order of the fields."""
    return CatalogueDevice(
        name=row[0],
        aliases=_several(row[1]),
        vendor=row[2],
        kind=cast("Kind", row[3]),
        architecture=row[4] or None,
        bandwidth_gbs=float(row[5]),
        memory_gb=_number(row[6]),
        memory_type=row[7] or None,
        bus_bits=int(row[8]) if row[8] else None,
        memory_mts=_number(row[9]),
        fp16_tflops=_number(row[10]),
        fp32_tflops=_number(row[11]),
        int8_tops=_number(row[12]),
        tdp_w=_number(row[13]),
        power_min_w=_number(row[14]),
        power_max_w=_number(row[15]),
        units=int(row[16]) if row[16] else None,
        pci_ids=_several(row[17]),
        source=row[18],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _several(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()
