"""Power of the CPU packages from the energy counters that Linux publishes (RAPL).

Layout: Documentation/power/powercap/powercap.rst in Linux. `class/powercap/intel-rapl:N` is a top-level zone, `name` is
"package-N" (or "psys", the whole platform, which is not counted), `energy_uj` counts microjoules and starts again at 0
after `max_energy_range_uj`. AMD processors since Zen appear under the same names. Since Linux 5.10 only root may
read `energy_uj`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from msgspec import Struct

from .files import ROOT, read_text

_SHORTEST = 0.02
"""Seconds: the counters move about every millisecond, so a shorter interval is noise."""


class _Zone(Struct):
    """One package as it was read."""

    range_uj: int
    energy_uj: int


class Rapl:
    """Turns the counters into watts, from one reading to the next."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = monotonic) -> None:
        self.problem: str | None = None
        """Why the power is not known, when somebody can change that."""
        self._folder = root / "sys/class/powercap"
        self._clock = clock
        self._zones: dict[str, _Zone] = {}
        self._time: float | None = None
        self._power: float | None = None

    def read(self) -> float | None:
        """Watts of all packages since the previous reading; None on the first and when a package cannot be read."""
        now = self._clock()
        if self._time is not None and now - self._time < _SHORTEST:
            return self._power
        self.problem = None
        energies = self._energies()
        spent = None
        if energies and self._time is not None and energies.keys() == self._zones.keys():
            spent = sum(self._spent(energies[name], self._zones[name]) for name in energies)
        self._power = None if spent is None or self._time is None else spent / 1e6 / (now - self._time)
        self._zones = energies
        self._time = now
        return self._power

    def _energies(self) -> dict[str, _Zone]:
        """The packages with their counters now; empty when one of them cannot be read."""
        zones: dict[str, _Zone] = {}
        for folder in sorted(self._folder.glob("intel-rapl:*")):
            if not re.fullmatch(r"intel-rapl:\d+", folder.name):
                continue
            if not (read_text(folder / "name") or "").startswith("package"):
                continue
            energy = folder / "energy_uj"
            try:
                counted = int(energy.read_text("ascii"))
            except PermissionError:
                self.problem = (
                    f"power: {energy} may be read by root only; "
                    f"sudo chmod a+r {self._folder}/intel-rapl:*/energy_uj allows it until the next boot"
                )
                return {}
            except (OSError, ValueError):
                return {}
            range_text = read_text(folder / "max_energy_range_uj") or ""
            zones[folder.name] = _Zone(int(range_text) if range_text.isdigit() else 0, counted)
        return zones

    @staticmethod
    def _spent(zone: _Zone, before: _Zone) -> int:
        """Microjoules between two readings, over at most one wrap of the counter."""
        spent = zone.energy_uj - before.energy_uj
        return spent if spent >= 0 else spent + zone.range_uj
