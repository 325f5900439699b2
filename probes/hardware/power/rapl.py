"""Power of the CPU packages and their memory from the energy counters that Linux publishes (RAPL).

Since Linux 5.10 only root may read `energy_uj` (CVE-2020-8694). What allows it for good is a rule of udev, in
/etc/udev/rules.d/70-rapl.rules: SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj"
"""

from collections.abc import Callable
from pathlib import Path

from ...sample import PowerLimit
from ..files import ROOT
from .energy_counter import Counter, EnergyMeter, Spent, steady_time
from .powercap import PACKAGE_CEILING_W, Powercap, counters, powercap
from .rapl_limits import RaplLimits

_LOOK_AGAIN_S = 60.0
"""Packages come and go with their last core, which is rare; the names are looked at again after this time."""
_STILL_S = 10.0
"""A counter of a running package that has not moved for so long will not."""


class Rapl:
    """Turns the counters into watts, from one reading to the next: all packages, and the memory that counts apart."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = steady_time) -> None:
        self.problem: str | None = None
        """Why the power is not known, when somebody can change that or would wonder."""
        self.energy_j: float | None = None
        """Joules since the first reading; falls to 0 when what was spent in between is not known."""
        self.limits: tuple[PowerLimit, ...] = ()
        self.power_limit_w: float | None = None
        """What all packages may draw for long."""
        self.power_limit_default_w: float | None = None
        """Their thermal design power."""
        self._root = root
        self._folder = root / "sys/class/powercap"
        self._clock = clock
        self._meter = EnergyMeter(clock)
        self._zones = Powercap()
        self._counters: tuple[Counter, ...] = ()
        self._limits = RaplLimits(self._zones)
        self._looked: float | None = None

    @property
    def found(self) -> bool:
        """Whether there is anything to read, be it allowed or not."""
        return bool(self._zones.packages) or self._zones.hidden

    def read(self) -> float | None:
        """Watts of all packages since the previous reading; None on the first and when a package cannot be read."""
        self._look()
        spent = self._meter.read(self._counters)
        if spent == Spent() and not self._meter.forbidden:
            self._looked = None
        self.problem = self._trouble()
        self.energy_j = spent.energy_j
        self.limits = self._limits.read()
        self.power_limit_w = self._limits.long_term_w()
        self.power_limit_default_w = self._limits.default_w()
        return spent.power_w

    def _look(self) -> None:
        """Finds the zones, also those that came since."""
        now = self._clock()
        if self._looked is not None and now - self._looked < _LOOK_AGAIN_S:
            return
        self._looked = now
        zones = powercap(self._root)
        if zones == self._zones:
            return
        self._zones = zones
        self._limits = RaplLimits(zones)
        self._counters = (
            *counters(zones.packages, ceiling_w=PACKAGE_CEILING_W, restless=True),
            *counters(zones.memories, ceiling_w=PACKAGE_CEILING_W, restless=False),
        )

    def _trouble(self) -> str | None:
        if self._zones.hidden:
            return (
                "power: the container hides what is behind /sys/class/powercap; "
                "docker run --security-opt systempaths=unconfined shows it"
            )
        if self._meter.forbidden:
            return (
                f"power: {self._meter.forbidden} may be read by root only; "
                f"sudo chmod a+r {self._folder}/intel-rapl:*/energy_uj allows it until the next boot"
            )
        if self._meter.still_s >= _STILL_S:
            return "power: the energy counter of the CPU stands still"
        return None
