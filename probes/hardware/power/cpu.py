"""The power of the CPU with its memory, from the best of what this user may read."""

import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from ...sample import PowerLimit
from ..files import ROOT, read_text
from .energy_counter import Spent, steady_time
from .rapl import Rapl
from .sockets import SocketPower


class CpuDraw(Struct, frozen=True, kw_only=True):
    """One reading."""

    power_w: float | None = None
    """Since the previous reading, or now, where only that is told. With the memory where it is counted apart."""
    energy_j: float | None = None
    """Joules since the first reading; falls when what was spent in between is not known."""
    source: str | None = None
    """"RAPL", "amd_energy", "ACPI power meter", "apm_xgene"."""
    limits: tuple[PowerLimit, ...] = ()
    power_limit_w: float | None = None
    """For long, of all packages together."""
    power_limit_default_w: float | None = None
    """Their thermal design power."""
    unread: tuple[str, ...] = ()
    """Why the power is not known, and what would change that."""


class CpuPower:
    """RAPL where it may be read, else the sensors that everybody may read."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = steady_time) -> None:
        self._rapl = Rapl(root, clock)
        self._sockets = SocketPower(root, clock)
        self._silence: str | None = None
        self._root = root

    def read(self) -> CpuDraw:
        """One reading; a sentence in `unread` for as long as there is no power and never will be."""
        watts = self._rapl.read()
        spent = Spent(watts, self._rapl.energy_j)
        source: str | None = "RAPL"
        unread: tuple[str, ...] = (self._rapl.problem,) if self._rapl.problem else ()
        limits, limit_w = self._rapl.limits, self._rapl.power_limit_w
        if unread or not self._rapl.found:
            other = self._sockets.read()
            source = self._sockets.source
            if source:
                spent, unread = other, ()
                limits = limits or self._sockets.limits
                limit_w = limit_w if limit_w is not None else _sum(self._sockets.limits)
            elif not self._rapl.found:
                unread = self._nothing()
        return CpuDraw(
            power_w=spent.power_w,
            energy_j=spent.energy_j,
            source=source,
            limits=limits,
            power_limit_w=limit_w,
            power_limit_default_w=self._rapl.power_limit_default_w,
            unread=unread,
        )

    def _nothing(self) -> tuple[str, ...]:
        """What to say where no sensor is to be found; macOS has other ways, which are not tried here."""
        if sys.platform != "linux":
            return ()
        if self._silence is None:
            self._silence = _silence(read_text(self._root / "proc/cpuinfo") or "")
        return (self._silence,)


def _silence(cpuinfo: str) -> str:
    words = "power: this machine shows no energy counter"
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "").split()
    if "hypervisor" in flags:
        return f"{words} (virtual machine)"
    if flags:
        return f"{words}; sudo modprobe intel_rapl_msr brings it where the kernel has it"
    return words


def _sum(limits: tuple[PowerLimit, ...]) -> float | None:
    values = [limit.value_w for limit in limits if limit.value_w is not None]
    return sum(values) if values and len(values) == len(limits) else None
