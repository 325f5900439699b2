"""Temperature of the CPU from the sensors of Linux.

psutil would read every sensor of the machine, disks included, at each call; this reads one file.
Layout: Documentation/hwmon/sysfs-interface.rst in Linux: `class/hwmon/hwmonN/name` is the driver, `tempM_input`
thousandths of a degree Celsius, `tempM_label` what it measures.
"""

from pathlib import Path

from .files import ROOT, read_text

_DRIVERS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
_LABELS = ("Package id 0", "Tctl", "Tdie")


class CpuTemperature:
    """Finds the sensor once, then reads it."""

    def __init__(self, root: Path = ROOT) -> None:
        self._file = _sensor(root)

    def read(self) -> float | None:
        """Degrees Celsius of the first package; None where no sensor tells."""
        text = read_text(self._file) if self._file else None
        try:
            return int(text) / 1000 if text else None
        except ValueError:
            return None


def _sensor(root: Path) -> Path | None:
    for chip in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if read_text(chip / "name") in _DRIVERS:
            inputs = sorted(chip.glob("temp*_input"))
            return min(inputs, key=_rank, default=None)
    return None


def _rank(sensor: Path) -> int:
    """The whole package before its parts; equals stay in order."""
    label = read_text(sensor.with_name(sensor.name.replace("input", "label")))
    return _LABELS.index(label) if label in _LABELS else len(_LABELS)
