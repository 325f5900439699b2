"""The CPU as a device that models run on."""

from collections.abc import Callable
from pathlib import Path

import psutil

from ..sample import Bandwidth, Compute, Device, Devices
from .cpu_facts import CpuFacts, cpu_facts, machine_words
from .cpu_name import SlowCpuName, slow_cpu_name
from .cpu_power import CpuPower
from .cpu_temperature import CpuTemperature
from .energy_counter import steady_time
from .files import ROOT
from .instructions import HALF, INT8, gain
from .measurement import CachedMeasurement, Measurement
from .smbios import Channel, memory_channels


class CpuProbe:
    """Reads the CPU. Where a sensor is missing its field is None; why there is no power stands in `unread`."""

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
        self._slow_name = slow_name
        self._power = CpuPower(root, clock)
        self._measured = CachedMeasurement(cache)
        self._temperature: CpuTemperature | None = None
        self._facts: CpuFacts | None = None
        self._cores: int | None = None
        self._channels: tuple[Channel, ...] | None = None
        self._busy_known = False

    @classmethod
    def detect(cls) -> "list[CpuProbe]":
        """Every machine has one."""
        return [cls()]

    def read(self) -> Devices:
        """One reading. Utilisation and power are those since the previous one."""
        facts = self._known()
        measurement = self._measured.read()
        memory = psutil.virtual_memory()
        draw = self._power.read()
        return Devices(
            devices=(
                Device(
                    id="cpu",
                    name=facts.name or self._slow_name.value or machine_words(facts),
                    vendor=facts.vendor or "unknown",
                    kind="cpu",
                    memory_total_bytes=memory.total,
                    memory_used_bytes=memory.total - memory.available,
                    utilization=self._utilization(),
                    temperature_c=self._temperature.read() if self._temperature else None,
                    power_w=draw.power_w,
                    energy_j=draw.energy_j,
                    power_limit_w=draw.power_limit_w,
                    power_limit_default_w=draw.power_limit_default_w,
                    limits=draw.limits,
                    bandwidth_gbs=bandwidth(self._channels, measurement),
                    compute_tflops=compute(measurement, facts.flags),
                    cores=self._cores,
                    cache_bytes=facts.cache_bytes,
                    unread=draw.unread,
                ),
            ),
        )

    def _known(self) -> CpuFacts:
        """What is read once."""
        if self._facts is None:
            self._facts = cpu_facts(self._root)
            self._cores = psutil.cpu_count(logical=False) or psutil.cpu_count()
            self._channels = memory_channels(self._root)
            self._temperature = CpuTemperature(self._root)
        return self._facts

    def _utilization(self) -> float | None:
        """Share of all logical cores busy since the last call; the first has nothing to compare with."""
        percent = psutil.cpu_percent(None)
        known, self._busy_known = self._busy_known, True
        return percent / 100 if known else None


def bandwidth(channels: tuple[Channel, ...] | None, measurement: Measurement | None) -> Bandwidth:
    """The figures for the main memory, with where they come from."""
    peak = sum(channel.mts * channel.bits / 8 for channel in channels) / 1000 if channels else None
    parts: list[str] = []
    if channels:
        speeds = " and ".join(str(mts) for mts in sorted({channel.mts for channel in channels}))
        parts.append(f"{len(channels)} channels at {speeds} MT/s (SMBIOS)")
    if measurement:
        parts.append(
            f"measured {measurement.date[:10]}: reading with {measurement.threads} threads, "
            f"spread {measurement.spread:.0%}"
        )
    else:
        parts.append("not measured yet: llmtop probe --measure")
    return Bandwidth(peak=peak, measured=measurement.best_gbs if measurement else None, basis="; ".join(parts))


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
