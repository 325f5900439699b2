"""The sensors and power limits of one AMD GPU.

Layout: `hwmon` of amdgpu, as drivers/gpu/drm/amd/pm/amdgpu_pm.c in Linux describes it. Power is that of all that hangs
on its limit: of an APU, with the cores of its CPU. Most GPUs tell either the average (`power1_average`) or the moment
(`power1_input`: MI300), APUs both. Only the Steam Deck's APU has a second limit.
"""

from pathlib import Path

from msgspec import Struct

from ...sample import PowerLimit
from ..entries import entries
from ..files import read_measure, read_text, writable

_LIMITS = {
    "slowPPT": ("package long term", 5.0),
    "fastPPT": ("package short term", 0.01),
}
"""By label: what is held down, and the seconds over which it is averaged (`enum pp_power_type`, kgd_pp_interface.h)."""

_MOST_W = 3_000.0
_MOST_MHZ = 10_000.0
_COLDEST_C, _HOTTEST_C = -50.0, 200.0
"""Bounds of what can be; beyond lies nonsense, as of a sensor that is being reset."""


class AmdReadings(Struct, frozen=True, kw_only=True):
    """What the sensors say at one moment."""

    average_w: float | None = None
    instant_w: float | None = None
    clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    edge_c: float | None = None
    junction_c: float | None = None
    memory_c: float | None = None

    @property
    def silent(self) -> bool:
        """Whether not one of them answers."""
        return self == AmdReadings()


class AmdSensors:
    """Reads them from one folder; which there are is looked up once."""

    def __init__(self, hwmon: Path) -> None:
        self._hwmon = hwmon
        self._names = frozenset(each.name for each in entries(hwmon, "*"))
        labels = {read_text(hwmon / name): name for name in self._names if name.endswith("_label")}
        self._spots: dict[str, str] = {
            spot: labels[spot].replace("_label", "_input") for spot in ("edge", "junction", "mem") if spot in labels
        }
        self.northbridge = "vddnb" in labels
        """Whether it measures the voltage of a northbridge, which only APUs have."""
        self._limits = tuple(self._limit(name) for name in ("power1", "power2") if f"{name}_cap" in self._names)

    def read(self) -> AmdReadings:
        """One reading. Power and temperatures of 0 are those of a sensor that is not there."""
        return AmdReadings(
            average_w=self._watts("power1_average"),
            instant_w=self._watts("power1_input"),
            clock_mhz=self._scaled("freq1_input", 1e6, _MOST_MHZ),
            memory_clock_mhz=self._scaled("freq2_input", 1e6, _MOST_MHZ),
            edge_c=self._degrees("edge"),
            junction_c=self._degrees("junction"),
            memory_c=self._degrees("mem"),
        )

    def limits(self) -> tuple[PowerLimit, ...]:
        """The power limits as they are set now, the one that people know first."""
        return tuple(
            PowerLimit(
                name=limit.name,
                value_w=self._watts(f"{file}_cap"),
                min_w=limit.min_w,
                max_w=limit.max_w,
                default_w=limit.default_w,
                window_s=limit.window_s,
                writable=limit.writable,
                where=limit.where,
            )
            for file, limit in self._limits
        )

    def _limit(self, file: str) -> tuple[str, PowerLimit]:
        """What of a limit lasts. A lowest value of 0 is that of a driver that does not know it."""
        label = read_text(self._hwmon / f"{file}_label") or ""
        name, window_s = _LIMITS.get(label, ("package", None))
        path = self._hwmon / f"{file}_cap"
        return file, PowerLimit(
            name=name,
            min_w=self._watts(f"{file}_cap_min"),
            max_w=self._watts(f"{file}_cap_max"),
            default_w=self._watts(f"{file}_cap_default"),
            window_s=window_s,
            writable=writable(path),
            where=str(path),
        )

    def _watts(self, name: str) -> float | None:
        return self._scaled(name, 1e6, _MOST_W) or None

    def _degrees(self, spot: str) -> float | None:
        return self._scaled(self._spots.get(spot), 1e3, _HOTTEST_C, _COLDEST_C) or None

    def _scaled(self, name: str | None, parts: float, most: float, least: float = 0.0) -> float | None:
        """The number in a file that is of so many parts of the unit."""
        return read_measure(self._hwmon / name, parts, most, least=least) if name in self._names else None
