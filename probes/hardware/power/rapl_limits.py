"""The limits that hold a processor's power down, as RAPL tells them.

Layout: Documentation/power/powercap/powercap.rst in Linux. `constraint_N_name` is "long_term" (PL1), "short_term" (PL2)
or "peak_power" (PL4), `constraint_N_power_limit_uw` the limit, `constraint_N_time_window_us` what it is averaged over.
`constraint_N_max_power_uw` is the thermal design power for the long term, and for the short term the most that may be
set, often 0 for "not told" (get_max_power in drivers/powercap/intel_rapl_common.c). A zone that is locked by the
firmware says `enabled` 0, as one whose limit is switched off does.
"""

from collections.abc import Iterable
from pathlib import Path

from ...sample import PowerLimit
from ..files import read_number, read_text, writable
from .powercap import Powercap, Zone

_WORDS = {"long_term": "long term", "short_term": "short term", "peak_power": "peak"}
_NOTHING_W = 3_000.0
_NOTHING_PLATFORM_W = 16_000.0
"""From here on nothing is limited: firmware fills the field with ones then. 15 bits of 1/8 W are 4,095.9 W, 17 bits
16,383.9 W (the masks of intel_rapl_common.c); memory of a Core i7-4770S is found with 3,408.25 W."""


class RaplLimits:
    """The limits of all zones; only the values are read each time."""

    def __init__(self, zones: Powercap) -> None:
        several = len(zones.packages) > 1
        also = {zone.name: zone for zone in zones.mmio}
        self._packages = [
            _limits(zone, several=several) + _limits(also.get(zone.name), several=several) for zone in zones.packages
        ]
        others = (*zones.memories, *zones.platforms)
        self._others = [limit for zone in others for limit in _limits(zone, several=several)]

    def read(self) -> tuple[PowerLimit, ...]:
        """All of them; of memory and platform only where something is limited."""
        limits = [limit.read() for package in self._packages for limit in package]
        others = [limit.read() for limit in self._others]
        return (*limits, *(limit for limit in others if limit.value_w is not None))

    def long_term_w(self) -> float | None:
        """What all packages may draw for long, as read last: the lowest limit of each, added up."""
        return _total(_lowest(package) for package in self._packages)

    def default_w(self) -> float | None:
        """The thermal design power of all packages."""
        return _total(
            next((limit.default_w for limit in package if limit.default_w is not None), None)
            for package in self._packages
        )


class _Limit:
    """One constraint of one zone."""

    def __init__(self, zone: Zone, number: int, name: str, words: str) -> None:
        self.long_term = name == "long_term"
        self.enabled = False
        self.value_w: float | None = None
        self.default_w: float | None = None
        self._zone = zone
        self._short_term = name == "short_term"
        self._words = f"{words} {_WORDS.get(name, name.replace('_', ' '))}"
        self._stem = zone.folder / f"constraint_{number}"
        self._file = self._at("power_limit_uw")
        self._value_uw: int | None = -1
        self._shown: PowerLimit | None = None

    def read(self) -> PowerLimit:
        """The limit now. What belongs to it is read again when it was changed."""
        value_uw = read_number(self._file)
        if self._shown is None or value_uw != self._value_uw:
            self._value_uw = value_uw
            self._shown = self._look(value_uw)
        return self._shown

    def _look(self, value_uw: int | None) -> PowerLimit:
        platform = self._zone.name.startswith("psys")
        self.value_w = _positive(value_uw)
        if self.value_w and self.value_w >= (_NOTHING_PLATFORM_W if platform else _NOTHING_W):
            self.value_w = None
        self.enabled = read_text(self._zone.folder / "enabled") == "1"
        most_w = _positive(read_number(self._at("max_power_uw")))
        self.default_w = most_w if self.long_term and not platform else None
        return PowerLimit(
            name=self._words,
            value_w=self.value_w,
            max_w=most_w if self._short_term else None,
            default_w=self.default_w,
            window_s=_positive(read_number(self._at("time_window_us"))),
            writable=(True if self.enabled else None) if writable(self._file) else False,
            where=str(self._file),
        )

    def _at(self, name: str) -> Path:
        return self._stem.with_name(f"{self._stem.name}_{name}")


def _limits(zone: Zone | None, *, several: bool) -> list[_Limit]:
    """The constraints of a zone, in their order; `several` when the machine has more than one package."""
    found: list[_Limit] = []
    while zone and (name := read_text(zone.folder / f"constraint_{len(found)}_name")):
        found.append(_Limit(zone, len(found), name, _zone_words(zone, several=several)))
    return found


def _lowest(limits: list[_Limit]) -> float | None:
    """For the long term, of those that are on; of all where none says that it is, as one that is locked does not."""
    known = [limit for limit in limits if limit.long_term and limit.value_w is not None]
    chosen = [limit for limit in known if limit.enabled] or known
    return min((limit.value_w for limit in chosen if limit.value_w is not None), default=None)


def _zone_words(zone: Zone, *, several: bool) -> str:
    """As "package", "package 1", "package 0 die 1", "package 1 memory" or "platform"."""
    if zone.name.startswith("psys"):
        return "platform"
    package = (zone.parent or zone.name).replace("-", " ") if several else "package"
    if zone.parent:
        return f"{package} memory" if several else "memory"
    return f"{package} MMIO" if "mmio" in zone.folder.name else package


def _positive(millionths: int | None) -> float | None:
    """In whole units; 0 stands for "not told"."""
    return millionths / 1e6 if millionths and millionths > 0 else None


def _total(parts: Iterable[float | None]) -> float | None:
    """None as soon as one is unknown, and of nothing."""
    known = list(parts)
    return None if not known or None in known else sum(part for part in known if part is not None)
