"""Power of the CPU from sensors that everybody may read, where RAPL is missing or forbidden.

- `amd_energy` and `zenergy` (modules from outside Linux) accumulate microjoules, `energyN_label` "Esocket0" a socket.
- NVIDIA Grace: meters of the firmware, "Grace Power Socket 0" for all of it, "CPU Power Socket 0" and "SysIO Power
  Socket 0" for its two rails (Grace performance tuning guide, "Power and Thermals"); its limit is `power1_cap` of the
  first. Later firmware says "Total Power in uW socket 0".
- Ampere Altra: `apm_xgene`, Documentation/hwmon/xgene-hwmon.rst in Linux, "CPU power" and "IO power" of a socket.
"""

import re
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from ...sample import PowerLimit
from ..entries import entries
from ..files import ROOT, read_number, read_text, writable
from .energy_counter import Counter, EnergyMeter, Spent, steady_time
from .meter import labelled_files, power_meters, power_w, sensor_chips
from .powercap import PACKAGE_CEILING_W

_LOOK_AGAIN_S = 60.0
_ALL = re.compile(r"(Grace Power|Total (Input )?Power in uW) socket \d+", re.IGNORECASE)
_RAIL = re.compile(r"(CPU|SysIO) Power Socket \d+", re.IGNORECASE)


class _Sensors(Struct, frozen=True, kw_only=True):
    """What was found, of one kind only."""

    source: str | None = None
    counters: tuple[Counter, ...] = ()
    powers: tuple[Path, ...] = ()
    """Files in microwatts, to be added up."""
    caps: tuple[Path, ...] = ()


class SocketPower:
    """Finds the sensors, then reads them."""

    def __init__(self, root: Path = ROOT, clock: Callable[[], float] = steady_time) -> None:
        self.source: str | None = None
        """Where the power comes from, in words; None where there is no such sensor."""
        self.limits: tuple[PowerLimit, ...] = ()
        self._root = root
        self._clock = clock
        self._meter = EnergyMeter(clock)
        self._sensors = _Sensors()
        self._looked: float | None = None

    def read(self) -> Spent:
        """Watts of all sockets now or since the previous reading, and joules where they are counted."""
        now = self._clock()
        if self._looked is None or now - self._looked >= _LOOK_AGAIN_S:
            self._looked = now
            self._sensors = _sensors(self._root)
        self.source = self._sensors.source
        self.limits = tuple(_limit(cap) for cap in self._sensors.caps)
        if self._sensors.counters:
            return self._meter.read(self._sensors.counters)
        powers = [power_w(file) for file in self._sensors.powers]
        known = [watts for watts in powers if watts is not None]
        return Spent(sum(known)) if known and len(known) == len(powers) else Spent()


def _sensors(root: Path) -> _Sensors:
    return _counting(root) or _of_firmware(root) or _of_ampere(root) or _Sensors()


def _counting(root: Path) -> _Sensors | None:
    for chip in sensor_chips(root, "amd_energy", "zenergy"):
        files = [
            label.with_name(label.name.replace("label", "input"))
            for label in entries(chip, "energy*_label")
            if (read_text(label) or "").startswith("Esocket")
        ]
        # Accumulated in 64 bits: no wrap that anybody would see.
        counters = tuple(
            Counter(file=file, ceiling_w=PACKAGE_CEILING_W) for file in files if read_number(file) is not None
        )
        if counters and len(counters) == len(files):
            return _Sensors(source=read_text(chip / "name"), counters=counters)
    return None


def _of_firmware(root: Path) -> _Sensors | None:
    meters = power_meters(root)
    of_all = [meter.folder for meter in meters if _ALL.fullmatch(meter.of)]
    folders = of_all or [meter.folder for meter in meters if _RAIL.fullmatch(meter.of)]
    if not folders:
        return None
    return _Sensors(
        source="ACPI power meter",
        powers=tuple(folder / "power1_average" for folder in folders),
        caps=tuple(folder / "power1_cap" for folder in of_all if read_number(folder / "power1_cap")),
    )


def _of_ampere(root: Path) -> _Sensors | None:
    files = labelled_files(root, "apm_xgene", "CPU power", "IO power")
    return _Sensors(source="apm_xgene", powers=tuple(files)) if files else None


def _limit(cap: Path) -> PowerLimit:
    of = read_text(cap.with_name("power1_oem_info")) or ""
    return PowerLimit(
        name=f"socket {of.rpartition(' ')[2]}",
        value_w=power_w(cap),
        min_w=power_w(cap.with_name("power1_cap_min")),
        max_w=power_w(cap.with_name("power1_cap_max")),
        writable=writable(cap),
        where=str(cap),
    )
