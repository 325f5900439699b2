"""The chip of a Mac with Apple silicon, read: GPU and CPU on one die, with one memory for both."""

from collections.abc import Callable
from functools import partial

import psutil
from msgspec.structs import replace

from ...sample import Device
from ..power.energy_counter import steady_time
from .command import Run, run
from .draw import AppleDraw
from .energy import AppleEnergy, LoadMonitor, load_monitor
from .gpu import PACE_S, AppleGpu, AppleGpuReader
from .power import ApplePower, OpenSource
from .power_mode import PowerMode
from .sysctl import Chip, generation, read_chip
from .thermal import ThermalPressure
from .told import macmon, powermetrics

ID = "apple0"
_UNKNOWN = "power: /usr/sbin/sysctl tells nothing of the chip"
Memory = Callable[[], tuple[int, int]]
"""Bytes of main memory, and how many of them are in use."""


def main_memory() -> tuple[int, int]:
    """All of it, and what is not to be had without taking it from somebody."""
    memory = psutil.virtual_memory()
    return memory.total, memory.total - memory.available


class AppleChip:
    """What lasts is read once; the GPU's driver is asked every few seconds, the rest each time."""

    def __init__(
        self,
        *,
        run: Run = run,
        load: LoadMonitor = load_monitor,
        memory: Memory = main_memory,
        clock: Callable[[], float] = steady_time,
        thermal: Callable[[], ThermalPressure] = ThermalPressure,
        others: tuple[OpenSource, OpenSource] = (macmon, powermetrics),
    ) -> None:
        """`load` brings the library for the energy counters; `others` are macmon and powermetrics."""
        self._run = run
        self._load = load
        self._memory = memory
        self._clock = clock
        self._new_thermal = thermal
        self._others = others
        self._gpu = AppleGpuReader(run, clock)
        self._mode = PowerMode(run, clock)
        self._facts: Device | None = None
        self._facts_due = 0.0
        self._thermal: ThermalPressure | None = None
        self._power: ApplePower | None = None

    def known(self) -> tuple[Device, ...]:
        """Without asking anybody."""
        return (facts(Chip(), AppleGpu()),)

    def read(self) -> tuple[Device, ...]:
        """One reading."""
        lasting = self._lasting()
        draw = self._power.read() if self._power else AppleDraw()
        busy = self._gpu.read().utilization if draw.utilization is None else draw.utilization
        if self._thermal is None:
            self._thermal = self._new_thermal()
        total_bytes, used_bytes = self._memory()
        return (
            replace(
                lasting,
                memory_total_bytes=total_bytes,
                memory_used_bytes=used_bytes,
                utilization=busy,
                temperature_c=draw.temperature_c,
                sm_clock_mhz=draw.clock_mhz,
                power_w=draw.power_w,
                energy_j=draw.energy_j,
                throttle_reasons=self._thermal.read(),
                unread=self._power.unread if self._power else (_UNKNOWN,),
                remarks=(*lasting.remarks, *self._remarks(draw)),
            ),
        )

    def _lasting(self) -> Device:
        """Asked for once; again after a while where the answer was not whole."""
        now = self._clock()
        if self._facts is None or (self._facts_due and now >= self._facts_due):
            chip, gpu = read_chip(self._run), self._gpu.read()
            whole = chip.arm and (gpu.cores or chip.virtual)
            self._facts_due = 0.0 if whole else now + PACE_S
            self._facts = facts(chip, gpu)
            if chip.arm and self._power is None:
                self._power = self._sources(self._facts.name, chip)
        return self._facts

    def _sources(self, name: str, chip: Chip) -> ApplePower:
        """On a chip of two dies macmon goes first: it counts both."""
        dies = 2 if name.endswith("Ultra") else 1
        energy: OpenSource = partial(AppleEnergy, self._load, self._clock, dies=dies)
        told, root = self._others
        sources = (told, energy, root) if dies > 1 else (energy, told, root)
        return ApplePower(sources, self._clock, virtual=chip.virtual)

    def _remarks(self, draw: AppleDraw) -> tuple[str, ...]:
        low = (
            ("Low Power Mode is on: it lowers the clocks until System Settings turn it off",)
            if self._mode.read()
            else ()
        )
        bare = ("its power is without that of the memory",) if draw.power_w is not None and not draw.memory else ()
        die = ("its power is without the CPU cores of one of its two dies",) if draw.one_die else ()
        return (*low, *bare, *die)


def facts(chip: Chip, gpu: AppleGpu) -> Device:
    """What lasts of it.

    By default macOS decides how much of the memory the GPU may have: Metal recommended 10.67 of 16 GiB, 17.76 of
    24 and 107.52 of 128 (pull requests 1672 of exo-explore/exo, 29949 of sgl-project/sglang, 893 of antirez/ds4).
    """
    name = chip.name or gpu.model or "Apple silicon"
    gib = None if chip.wired_limit_bytes is None else chip.wired_limit_bytes / (1 << 30)
    limited = () if gib is None else (f"the GPU may have {gib:.1f} GiB of the memory: iogpu.wired_limit_mb is set",)
    return Device(
        id=ID,
        name=name,
        vendor="Apple",
        kind="apple",
        memory_type="LPDDR",
        unified_memory=True,
        architecture=generation(name),
        cores=gpu.cores,
        driver=f"macOS {chip.system}" if chip.system else None,
        remarks=limited,
    )
