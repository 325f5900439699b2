"""Temperature of the CPU from the sensors of Linux.

psutil would read every sensor of the machine, disks included, at each call; this reads one file a package.
Layout: Documentation/hwmon/sysfs-interface.rst in Linux: `class/hwmon/hwmonN/name` is the driver, `tempM_input`
thousandths of a degree Celsius, `tempM_label` what it measures. Boards without such a driver have
`class/thermal/thermal_zoneN` (Documentation/driver-api/thermal/sysfs-api.rst) with `type` and `temp`.
"""

import re
from pathlib import Path

from ..entries import entries
from ..files import ROOT, read_number, read_text
from ..power.meter import sensor_chips

_DRIVERS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "apm_xgene")
_LABELS = (
    re.compile(r"(Package|Physical) id \d+"),
    re.compile(r"Tdie"),
    re.compile(r"Tctl"),
    re.compile(r"SoC Temperature"),
)
"""The whole package before its parts. Tctl is what the fans follow, on some chips 10 to 27 degrees above the die, which
is Tdie then (Documentation/hwmon/k10temp.rst)."""
_ZONES = (
    re.compile(r"x86_pkg_temp"),
    re.compile(r"cpu.*|(big|little)core.*", re.IGNORECASE),
    re.compile(r"(soc|package)[-_]thermal"),
)
"""Types of thermal zones that are the CPU: of Intel, of Jetson ("CPU-therm", "cpu-thermal"), Raspberry Pi and Qualcomm
("cpu0-thermal"), of RK3588 ("bigcore0-thermal"); the whole chip where no core has one."""
_COLDEST_MC = -50_000
_HOTTEST_MC = 150_000


class CpuTemperature:
    """Finds the sensors once, then reads them."""

    def __init__(self, root: Path = ROOT) -> None:
        self._files = _sensors(root) or _zones(root)

    def read(self) -> float | None:
        """Degrees Celsius of the hottest package; None where no sensor tells."""
        read = [read_number(file) for file in self._files]
        return max((value / 1000 for value in read if value and _COLDEST_MC < value < _HOTTEST_MC), default=None)


def _sensors(root: Path) -> list[Path]:
    """One a package, of the first driver that has any; all of them where none is the package's."""
    for driver in _DRIVERS:
        inputs = [file for chip in sensor_chips(root, driver) for file in entries(chip, "temp*_input")]
        if inputs:
            ranks = {file: _rank(file) for file in inputs}
            return [file for file in inputs if ranks[file] == min(ranks.values())]
    return []


def _rank(sensor: Path) -> int:
    label = read_text(sensor.with_name(sensor.name.replace("input", "label"))) or ""
    return next((place for place, words in enumerate(_LABELS) if words.fullmatch(label)), len(_LABELS))


def _zones(root: Path) -> list[Path]:
    types = {folder / "temp": read_text(folder / "type") or "" for folder in _thermal(root)}
    for kind in _ZONES:
        if files := [file for file, words in types.items() if kind.fullmatch(words)]:
            return files
    return []


def _thermal(root: Path) -> list[Path]:
    return entries(root / "sys/class/thermal", "thermal_zone*")
