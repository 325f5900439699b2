"""Which of the many sensors is the CPU's."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.temperature import CpuTemperature

from .recorded import Machine


def chip(machine: Machine, number: int, driver: str, **degrees: float | str) -> None:
    """One sensor chip; a label with its value, `_` for a blank."""
    folder = f"sys/class/hwmon/hwmon{number}"
    machine.put(f"{folder}/name", driver)
    for index, (label, value) in enumerate(degrees.items(), 1):
        if not label.startswith("none"):
            machine.put(f"{folder}/temp{index}_label", label.replace("_", " "))
        machine.put(f"{folder}/temp{index}_input", value if isinstance(value, str) else str(round(value * 1000)))


def zone(machine: Machine, number: int, kind: str, degrees: float) -> None:
    """One thermal zone."""
    machine.put(f"sys/class/thermal/thermal_zone{number}/type", kind)
    machine.put(f"sys/class/thermal/thermal_zone{number}/temp", str(round(degrees * 1000)))


@pytest.mark.parametrize("words", ["Package", "Physical"])
def test_hotter_of_two_packages(tmp_path: Path, words: str) -> None:
    machine = Machine(tmp_path)
    chip(machine, 0, "nvme", Composite=70)
    chip(machine, 2, "coretemp", **{f"{words}_id_0": 55, "Core_0": 90})
    chip(machine, 10, "coretemp", **{f"{words}_id_1": 61, "Core_0": 58})
    assert CpuTemperature(machine.root).read() == 61


def test_die_rather_than_what_the_fans_follow(tmp_path: Path) -> None:
    """Threadripper 1950X: Tctl is 27 degrees above."""
    machine = Machine(tmp_path)
    chip(machine, 1, "k10temp", Tctl=82, Tdie=55, Tccd1=60)
    assert CpuTemperature(machine.root).read() == 55


def test_zen_of_today(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    chip(machine, 1, "k10temp", Tctl=64.5, Tccd1=71.25)
    assert CpuTemperature(machine.root).read() == 64.5


def test_cores_where_no_package_has_a_sensor(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    chip(machine, 1, "coretemp", Core_0=41, Core_1=44)
    assert CpuTemperature(machine.root).read() == 44


def test_altra(tmp_path: Path) -> None:
    assert CpuTemperature(Machine(tmp_path, "altra").root).read() == 47


@pytest.mark.parametrize(
    ("zones", "degrees"),
    [
        ({"acpitz": 27.8, "x86_pkg_temp": 48, "INT3400 Thermal": 20}, 48),
        ({"cpu-thermal": 51.5, "gpu-thermal": 60, "soc0-thermal": 52}, 51.5),
        ({"CPU-therm": 43.5, "GPU-therm": 44, "AO-therm": 50}, 43.5),
        ({"soc-thermal": 40, "bigcore0-thermal": 46, "bigcore1-thermal": 47, "littlecore-thermal": 44}, 47),
        ({"soc_thermal": 39, "gpu_thermal": 41}, 39),
        ({"acpitz": 27.8, "iwlwifi_1": 50}, None),
        ({}, None),
    ],
)
def test_thermal_zones(tmp_path: Path, zones: dict[str, float], degrees: float | None) -> None:
    machine = Machine(tmp_path)
    for number, (kind, value) in enumerate(zones.items()):
        zone(machine, number, kind, value)
    assert CpuTemperature(machine.root).read() == degrees


@pytest.mark.parametrize("value", ["", "none", "-128000", "255875"])
def test_nonsense(tmp_path: Path, value: str) -> None:
    machine = Machine(tmp_path)
    chip(machine, 1, "k10temp", Tctl=value)
    assert CpuTemperature(machine.root).read() is None


def test_sensor_that_goes_silent(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    chip(machine, 1, "coretemp", Package_id_0=50)
    chip(machine, 2, "coretemp", Package_id_1=52)
    temperature = CpuTemperature(machine.root)
    assert temperature.read() == 52
    (machine.root / "sys/class/hwmon/hwmon2/temp1_input").unlink()
    assert temperature.read() == 50
