"""What a source of power tells of an Apple chip, whichever source that is."""

from typing import Protocol

from msgspec import Struct


class AppleDraw(Struct, frozen=True, kw_only=True):
    """One reading. Power is that of the chip: CPU, GPU, Neural Engine, and the memory where `memory` says so."""

    power_w: float | None = None
    energy_j: float | None = None
    """Joules since an origin that stays, where the source counts them."""
    utilization: float | None = None
    """Share of time that the GPU was busy, 0-1."""
    clock_mhz: float | None = None
    """Of the GPU, while it worked."""
    temperature_c: float | None = None
    """Of the GPU."""
    memory: bool = True
    """Whether what the memory draws is in it."""
    one_die: bool = False
    """Whether of a chip of two dies the CPU cores of one are missing."""


class PowerSource(Protocol):
    """Somebody who tells the power of the chip."""

    problem: str | None
    """Why it tells no more, and another should be asked; None while it does."""

    def read(self) -> AppleDraw:
        """One reading; takes milliseconds. Trouble stands in `problem` afterwards."""
        ...

    def close(self) -> None:
        """Ends what it started."""
        ...
