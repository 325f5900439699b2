"""The CPU as a device that models run on."""

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from msgspec import Struct

from ...sample import Bandwidth, Compute, Device, Devices, Processor
from ..dimms.layout import MemoryFacts, memory_facts
from ..dimms.remarks import memory_remarks
from ..files import ROOT
from ..host.cgroup import usable_cores
from ..host.main_memory import MainMemory
from ..host.surroundings import container, virtualization
from ..measured.measurement import CachedMeasurement, Measurement
from ..power.cpu import CpuPower
from ..power.energy_counter import steady_time
from ..soc.pi_throttle import PiThrottle
from .facts import CpuFacts, cpu_facts, machine_words
from .instructions import HALF, INT8, gain, instruction_words
from .name import SlowCpuName, slow_cpu_name
from .temperature import CpuTemperature
from .topology import Topology, topology
from .usable import usable_remarks

_LOOK_AGAIN_S = 10.0
"""Seconds until it is looked again how many processors this process may use."""


class _Lasting(Struct, frozen=True, kw_only=True):
    """What is read once."""

    facts: CpuFacts
    topology: Topology
    memory: MemoryFacts
    temperature: CpuTemperature
    throttle: PiThrottle
    virtualization: str | None
    container: str | None
    cores: int | None


class CpuProbe:
    """Reads the CPU. A sensor that is missing and that nobody would look for is None, without a word."""

    name = "cpu"

    def __init__(
        self,
        *,
        period: float = 1.0,
        root: Path = ROOT,
        cache: Path | None = None,
        clock: Callable[[], float] = steady_time,
        slow_name: SlowCpuName = slow_cpu_name,
    ) -> None:
        """`cache` is the file with the measured bandwidth; None means the user's own."""
        self.period = period
        self._root = root
        self._clock = clock
        self._slow_name = slow_name
        self._power = CpuPower(root, clock)
        self._measured = CachedMeasurement(cache)
        self._memory = MainMemory(root)
        self._lasting: _Lasting | None = None
        self._usable: float | None = None
        self._looked: float | None = None
        self._busy_known = False

    @classmethod
    def detect(cls) -> "list[CpuProbe]":
        """Every machine has one."""
        return [cls()]

    def read(self) -> Devices:
        """One reading. Utilisation and power are those since the previous one."""
        known = self._lasting = self._lasting or self._first()
        facts, modules = known.facts, known.memory
        name = facts.name or self._slow_name.value
        flags = facts.flags or (self._slow_name.flags if sys.platform == "win32" else frozenset())
        measurement = self._measured.read()
        memory = self._memory.read()
        draw = self._power.read()
        usable = self._usable_cores()
        limits = usable_remarks(
            memory,
            cores=usable,
            threads=known.topology.threads,
            container=known.container,
            virtualization=known.virtualization,
        )
        return Devices(
            devices=(
                Device(
                    id="cpu",
                    name=name or machine_words(facts),
                    vendor=facts.vendor or "unknown",
                    kind="cpu",
                    memory_total_bytes=memory.total_bytes,
                    memory_used_bytes=memory.used_bytes,
                    utilization=self._utilization(),
                    temperature_c=known.temperature.read(),
                    throttle_reasons=known.throttle.now(),
                    power_w=draw.power_w,
                    energy_j=draw.energy_j,
                    limits=draw.limits,
                    power_limit_w=draw.power_limit_w,
                    power_limit_default_w=draw.power_limit_default_w,
                    bandwidth_gbs=bandwidth(modules, measurement),
                    compute_tflops=compute(measurement, flags),
                    memory_type=_memory_class(modules.type),
                    ecc=modules.ecc,
                    cores=known.cores,
                    cache_bytes=facts.cache_bytes,
                    processor=_processor(known, usable, flags),
                    unread=(*draw.unread, *((modules.unread,) if modules.unread else ())),
                    remarks=(*memory_remarks(modules, name), *limits),
                ),
            ),
        )

    def _first(self) -> _Lasting:
        facts, made_of = cpu_facts(self._root), topology(self._root)
        simulated, inside = virtualization(self._root), container(self._root)
        return _Lasting(
            facts=facts,
            topology=made_of,
            memory=memory_facts(
                self._root, cpu=facts.name, sockets=made_of.sockets, virtual=simulated, container=inside
            ),
            temperature=CpuTemperature(self._root),
            throttle=PiThrottle(self._root),
            virtualization=simulated,
            container=inside,
            cores=made_of.cores or psutil.cpu_count(logical=False) or psutil.cpu_count(),
        )

    def _usable_cores(self) -> float | None:
        now = self._clock()
        if self._looked is None or now - self._looked >= _LOOK_AGAIN_S:
            self._looked, self._usable = now, usable_cores(self._root)
        return self._usable

    def _utilization(self) -> float | None:
        """Share of all logical cores busy since the last call; the first has nothing to compare with."""
        try:
            percent = psutil.cpu_percent(None)
        except OSError:  # Android shows nobody proc/stat
            return None
        known, self._busy_known = self._busy_known, True
        return percent / 100 if known else None


def bandwidth(memory: MemoryFacts, measurement: Measurement | None) -> Bandwidth:
    """The figures for the main memory, with where they come from."""
    parts: list[str] = []
    speeds = " and ".join(str(mts) for mts in sorted({channel.mts or 0 for channel in memory.channels}))
    if memory.peak_gbs:
        parts.append(f"{len(memory.channels)} channels at {speeds} MT/s ({memory.basis})")
    if measurement:
        parts.append(
            f"measured {measurement.date[:10]}: reading with {measurement.threads} "
            f"thread{'' if measurement.threads == 1 else 's'}, spread {measurement.spread:.0%}"
        )
    else:
        parts.append("not measured yet: llmtop probe --measure")
    return Bandwidth(
        peak=memory.peak_gbs, measured=measurement.best_gbs if measurement else None, basis="; ".join(parts)
    )


def compute(measurement: Measurement | None, flags: frozenset[str] = frozenset()) -> Compute:
    """What a float32 matrix product reached, and what the byte and half-precision instructions add to it."""
    if not measurement:
        return Compute(basis="not measured yet: llmtop probe --measure")
    int8, half = gain(flags, INT8), gain(flags, HALF)
    return Compute(
        fp32=measurement.gemm_tflops,
        fp16=measurement.gemm_tflops * half,
        int8=measurement.gemm_tflops * int8,
        basis=f"measured {measurement.date[:10]}: float32 matrix product of numpy, all threads; "
        f"instructions give x{int8:.0f} for int8, x{half:.0f} for 16 bit",
    )


def _processor(known: _Lasting, usable: float | None, flags: frozenset[str]) -> Processor:
    made_of = known.topology
    return Processor(
        sockets=made_of.sockets,
        numa_nodes=made_of.numa_nodes,
        threads=made_of.threads,
        usable_cores=usable,
        performance_cores=made_of.performance_cores,
        efficiency_cores=made_of.efficiency_cores,
        instructions=instruction_words(flags),
        memory=known.memory.layout,
    )


def _memory_class(kind: str | None) -> str | None:
    """Of "LPDDR5": what the generation does not change."""
    return next((name for name in ("LPDDR", "HBM", "DDR") if kind and kind.startswith(name)), None)
