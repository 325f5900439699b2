"""What the whole machine draws, where a sensor tells it.

In this order: RAPL's platform counter, which counts joules; the firmware's power meter; "Total System Power" of the
controller of a Mac (`macsmc_hwmon`, arch/arm64/boot/dts/apple/hwmon-common.dtsi in Linux); the meters on a Jetson
module, which is the machine but for its carrier; the battery.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ..files import ROOT
from ..jetson.board import is_jetson
from ..jetson.rails import JetsonRails
from .energy_counter import Counter, EnergyMeter, Spent, steady_time
from .meter import PowerMeter, labelled_files, power_meters, power_w
from .powercap import CLIENT_CEILING_W, PACKAGE_CEILING_W, SERVER_CEILING_W, counters, powercap
from .supply import battery_power_w

_LOOK_AGAIN_S = 60.0
_BATTERY_S = 4.0
"""Asking a battery may take its controller milliseconds, and it measures every few seconds only."""
_LAGS_S = 5.0
"""A meter that averages over longer than this says so in its name."""
_WIDE_UJ = 10**12
"""Servers count whole joules and start again after 4 GJ, others after 262 kJ, which 2 kW draw in two minutes."""
_STILL_S = 10.0
"""For so long a counter of whole joules may stand still on an idle machine."""
_UNWIRED = 0.9
"""A platform that draws less than this share of its packages is counted by nobody, and is not asked again."""


class MachineDraw(Struct, frozen=True):
    """One reading."""

    power_w: float | None = None
    source: str | None = None
    """The sensor in words; None exactly when there is no power."""
    energy_j: float | None = None
    """Joules since the first reading, where the sensor counts them; falls when some in between are not known."""


class MachinePower:
    """Chooses the sensor anew at each reading: a laptop is plugged in and out."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = steady_time) -> None:
        self._root = root
        self._clock = clock
        self._platform = EnergyMeter(clock)
        self._packages = EnergyMeter(clock)
        self._psys: tuple[Counter, ...] = ()
        self._parts: tuple[Counter, ...] = ()
        self._meter: PowerMeter | None = None
        self._controller: Path | None = None
        self._rails: JetsonRails | None = None
        self._unwired = False
        self._looked: float | None = None
        self._battery: float | None = None
        self._battery_read: float | None = None

    def read(self) -> MachineDraw:
        """One reading."""
        now = self._clock()
        if self._looked is None or now - self._looked >= _LOOK_AGAIN_S:
            self._looked = now
            self._look()
        spent = self._of_platform()
        if spent is not None:
            return MachineDraw() if spent.power_w is None else MachineDraw(spent.power_w, "RAPL psys", spent.energy_j)
        if self._meter and (watts := self._meter.power_w()) is not None:
            lag_s = self._meter.interval_s or 0.0
            return MachineDraw(watts, f"ACPI power meter{f', mean of {lag_s:.0f} s' if lag_s > _LAGS_S else ''}")
        if self._controller and (watts := power_w(self._controller)) is not None:
            return MachineDraw(watts, "SMC")
        if self._rails and (watts := self._rails.power_w()) is not None:
            return MachineDraw(watts, "meters of the module")
        watts = self._of_battery(now)
        return MachineDraw() if watts is None else MachineDraw(watts, "battery")

    def _look(self) -> None:
        zones = powercap(self._root)
        # One package counts the whole platform (Linux 5.10, "enumerate psys RAPL domain together with package RAPL
        # domain"); two of them would be two machines in one, and nobody says which is which.
        psys = zones.platforms if len(zones.platforms) == 1 else ()
        found = counters(psys, ceiling_w=SERVER_CEILING_W, restless=True)
        self._psys = tuple(
            replace(counter, ceiling_w=CLIENT_CEILING_W) if (counter.range_uj or 0) < _WIDE_UJ else counter
            for counter in found
        )
        self._parts = (
            *counters(zones.packages, ceiling_w=PACKAGE_CEILING_W, restless=True),
            *counters(zones.memories, ceiling_w=PACKAGE_CEILING_W, restless=False),
        )
        whole = [meter for meter in power_meters(self._root) if not meter.battery and "socket" not in meter.of.lower()]
        self._meter = whole[0] if len(whole) == 1 else None
        self._rails = JetsonRails(self._root) if is_jetson(self._root) else None
        self._controller = next(iter(labelled_files(self._root, "macsmc_hwmon", "Total System Power")), None)

    def _of_platform(self) -> Spent | None:
        """What the platform counter tells, be it nothing this time; None where another sensor is to be asked.

        On many desktop boards it is not wired, and counts less than the packages do.
        """
        if not self._psys or self._unwired:
            return None
        platform, parts = self._platform.read(self._psys), self._packages.read(self._parts)
        if platform == Spent():
            return platform if 0 < self._platform.still_s < _STILL_S else None
        if platform.power_w is None or parts.power_w is None or platform.power_w >= parts.power_w:
            return platform
        self._unwired = platform.power_w < _UNWIRED * parts.power_w
        return None

    def _of_battery(self, now: float) -> float | None:
        if self._battery_read is None or now - self._battery_read >= _BATTERY_S:
            self._battery_read = now
            self._battery = battery_power_w(self._root)
        return self._battery
