"""Power meters that the firmware offers (ACPI): of a whole server, or of the parts of a superchip.

Layout: Documentation/hwmon/acpi_power_meter.rst in Linux. The driver is "power_meter", `power1_average` microwatts
averaged over `power1_average_interval` milliseconds, `power1_oem_info` says what is measured, `power1_cap` is a limit.
Older kernels keep all of it in `device/` below the folder of the sensor.
"""

import os
from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import ROOT, read_number, read_text

_MOST_W = 100_000.0
"""More than a rack draws: nonsense."""


class PowerMeter(Struct, frozen=True, kw_only=True):
    """One meter."""

    folder: Path
    of: str
    """What it measures, in the words of the firmware: "Grace Power Socket 0"; empty when it does not say."""
    interval_s: float | None = None
    """Over which it averages."""
    battery: bool = False

    def power_w(self) -> float | None:
        """What is drawn now; None when it cannot be read, and for 0, which nothing that is on draws."""
        return power_w(self.folder / "power1_average")


def power_meters(root: Path = ROOT) -> tuple[PowerMeter, ...]:
    """Finds them, in the order of their folders."""
    meters: list[PowerMeter] = []
    for chip in sensor_chips(root, "power_meter"):
        folder = next((at for at in (chip, chip / "device") if os.access(at / "power1_average", os.F_OK)), None)
        if folder is None:
            continue
        interval_ms = read_number(folder / "power1_average_interval")
        meters.append(
            PowerMeter(
                folder=folder,
                of=read_text(folder / "power1_oem_info") or "",
                interval_s=interval_ms / 1000 if interval_ms else None,
                battery=read_text(folder / "power1_is_battery") == "1",
            )
        )
    return tuple(meters)


def sensor_chips(root: Path, *drivers: str) -> list[Path]:
    """Folders of the sensors of some drivers."""
    return [
        chip
        for chip in sorted(entries(root / "sys/class/hwmon", "hwmon*"), key=_number)
        if (read_text(chip / "name") or read_text(chip / "device/name")) in drivers
    ]


def labelled_files(root: Path, driver: str, *labels: str) -> list[Path]:
    """Files of power with these labels, in microwatts, of all chips of a driver."""
    return [
        label.with_name(label.name.replace("label", "input"))
        for chip in sensor_chips(root, driver)
        for label in entries(chip, "power*_label")
        if read_text(label) in labels
    ]


def power_w(file: Path) -> float | None:
    """Watts of a file that counts microwatts; None for 0 and for nonsense."""
    value_uw = read_number(file)
    return value_uw / 1e6 if value_uw and 0 < value_uw <= _MOST_W * 1e6 else None


def _number(chip: Path) -> int:
    digits = chip.name.removeprefix("hwmon")
    return int(digits) if digits.isdigit() else 0
