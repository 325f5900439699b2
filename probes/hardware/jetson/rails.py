"""Power of a Jetson module from the meters on it.

The meters are INA3221, three rails each (Documentation/hwmon/ina3221.rst in Linux): `inN_label` is the rail,
`inN_input` millivolts, `currN_input` milliamperes. JetPack 4 has `rail_name_N` and `in_powerN_input` in milliwatts
instead, under `bus/i2c/drivers/ina3221x`. Rails: NVIDIA Jetson Linux Developer Guide, "Power Monitor". VDD_IN (Orin
Nano, Orin NX, Xavier NX, TX2) and POM_5V_IN (Nano) feed the whole module; the AGX modules have no such rail, and their
parts are added up.
"""

from pathlib import Path

from msgspec import Struct

from ..entries import entries, there
from ..files import ROOT, read_number, read_text
from ..power.meter import sensor_chips

_WHOLE = ("VDD_IN", "POM_5V_IN")
_OTHERS = ("NC", "CVB_")
"""How rails begin that do not count: not connected, or of the carrier, which feeds the module (IGX Orin:
tegra234-p3701-0008.dtsi in Linux)."""
_MOST_W = 1_000.0


class Rail(Struct, frozen=True, kw_only=True):
    """One rail and where it is read."""

    name: str
    factors: tuple[Path, ...]
    """Files whose numbers are multiplied."""
    scale: float
    """What makes watts of the product."""

    def power_w(self) -> float | None:
        """What it carries now."""
        product = self.scale
        for file in self.factors:
            number = read_number(file)
            if number is None:
                return None
            product *= number
        return product if 0 <= product < _MOST_W else None


class JetsonRails:
    """Finds the rails once."""

    def __init__(self, root: Path = ROOT) -> None:
        rails = _rails(root) or _old_rails(root)
        whole = next((rail for name in _WHOLE for rail in rails if rail.name == name), None)
        self._rails = (whole,) if whole else rails

    @property
    def names(self) -> tuple[str, ...]:
        """What is counted: one rail that feeds the module, or all of its parts."""
        return tuple(rail.name for rail in self._rails)

    def power_w(self) -> float | None:
        """Of the whole module; None as soon as one part cannot be read."""
        read = [rail.power_w() for rail in self._rails]
        known = [power for power in read if power is not None]
        return sum(known) if known and len(known) == len(read) and sum(known) > 0 else None


def _rails(root: Path) -> tuple[Rail, ...]:
    found: list[Rail] = []
    for chip in sensor_chips(root, "ina3221"):
        for channel in (1, 2, 3):
            name = read_text(chip / f"in{channel}_label")
            if name and not name.startswith(_OTHERS) and there(chip / f"curr{channel}_input"):
                factors = (chip / f"in{channel}_input", chip / f"curr{channel}_input")
                found.append(Rail(name=name, factors=factors, scale=1e-6))
    return tuple(found)


def _old_rails(root: Path) -> tuple[Rail, ...]:
    found: list[Rail] = []
    for file in entries(root / "sys/bus/i2c/drivers/ina3221x", "*/iio*/rail_name_*"):
        number = file.name.rpartition("_")[2]
        name = read_text(file)
        if name and not name.startswith(_OTHERS):
            found.append(Rail(name=name, factors=(file.with_name(f"in_power{number}_input"),), scale=1e-3))
    return tuple(found)
