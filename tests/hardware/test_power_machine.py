"""What the whole machine draws: platform counter, firmware's meter, battery."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.power.machine import MachineDraw, MachinePower
from llmtop.probes.hardware.power.supply import battery_power_w

from .recorded import Machine, forbidding, told

BATTERY = "sys/class/power_supply/BAT0/uevent"


def reader(machine: Machine) -> MachinePower:
    """One that has read once."""
    power = MachinePower(machine.root, machine.clock)
    assert power.read().energy_j is None
    return power


def test_platform_counter(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    power = reader(machine)
    machine.pass_time(2, z0=24, z0_2=4, z1=70)
    found = power.read()
    assert (told(found), found.source) == ((35, 70), "RAPL psys")


def test_platform_counter_of_a_server(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    power = reader(machine)
    machine.pass_time(1, z0=200, z0_0=20, z1=620, z2=180, z2_0=15)
    found = power.read()
    assert (told(found), found.source) == ((620, 620), "RAPL psys")


def test_platform_counter_read_once_a_minute(tmp_path: Path) -> None:
    """It starts again after 262 kJ, its packages after as much or after 66 kJ."""
    machine = Machine(tmp_path, "kaby-lake-laptop")
    power = reader(machine)
    machine.pass_time(60, z0=1200, z0_2=120, z1=2400)
    assert told(power.read()) == (40, 2400)


def test_platform_counter_that_nobody_wired(tmp_path: Path) -> None:
    """It counts less than the package: no board draws less than its processor."""
    machine = Machine(tmp_path, "kaby-lake-laptop")
    power = reader(machine)
    machine.pass_time(1, z0=100, z1=30)
    assert power.read() == MachineDraw()
    machine.pass_time(1, z0=10, z1=30)
    assert power.read() == MachineDraw()


def test_two_platform_counters_are_two_stories(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    machine.put("sys/class/powercap/intel-rapl:2/name", "psys-1")
    machine.put("sys/class/powercap/intel-rapl:2/energy_uj", "0")
    machine.put("sys/class/powercap/intel-rapl:2/max_energy_range_uj", "262143328850")
    power = reader(machine)
    machine.pass_time(1, z0=20, z0_2=2, z1=70, z2=70)
    assert power.read() == MachineDraw()


def test_battery_where_the_counter_is_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(tmp_path, "kaby-lake-laptop")
    machine = Machine(tmp_path, "thinkpad-battery")
    monkeypatch.setattr(Path, "read_text", forbidding("energy_uj"))
    assert MachinePower(machine.root, machine.clock).read() == MachineDraw(19.195, "battery")


def test_battery_that_is_plugged_in(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "thinkpad-battery")
    power = MachinePower(machine.root, machine.clock)
    assert power.read() == MachineDraw(19.195, "battery")
    machine.put("sys/class/power_supply/AC/uevent", "POWER_SUPPLY_TYPE=Mains\nPOWER_SUPPLY_ONLINE=1")
    machine.now += 5
    assert power.read() == MachineDraw()


@pytest.mark.parametrize(
    ("properties", "watts"),
    [
        ("STATUS=Discharging POWER_NOW=19195000", 19.195),
        ("STATUS=Discharging POWER_NOW=-7400000", 7.4),
        ("STATUS=Discharging CURRENT_NOW=1000000 VOLTAGE_NOW=14888000", 14.888),
        ("STATUS=Discharging CURRENT_NOW=1000000", None),
        ("STATUS=Discharging POWER_NOW=0", None),
        ("STATUS=Discharging POWER_NOW=abc", None),
        ("STATUS=Discharging POWER_NOW=99999000000", None),
        ("STATUS=Discharging", None),
        ("STATUS=Discharging SCOPE=Device POWER_NOW=500000", None),
        ("STATUS=Charging POWER_NOW=40000000", None),
        ("STATUS=Not\u00a0charging POWER_NOW=0", None),
        ("STATUS=Full POWER_NOW=0", None),
        ("", None),
    ],
)
def test_battery(tmp_path: Path, properties: str, watts: float | None) -> None:
    machine = Machine(tmp_path)
    lines = ["POWER_SUPPLY_TYPE=Battery", *(f"POWER_SUPPLY_{each}" for each in properties.split(" ") if each)]
    machine.put(BATTERY, "\n".join(lines))
    assert battery_power_w(machine.root) == (pytest.approx(watts) if watts else None)


def test_two_batteries_one_at_rest(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "thinkpad-battery")
    machine.put(
        "sys/class/power_supply/BAT1/uevent",
        "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=Discharging\nPOWER_SUPPLY_POWER_NOW=0",
    )
    assert battery_power_w(machine.root) == pytest.approx(19.195)
    machine.put(
        "sys/class/power_supply/BAT1/uevent",
        "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=Discharging\nPOWER_SUPPLY_POWER_NOW=5000000",
    )
    assert battery_power_w(machine.root) == pytest.approx(24.195)


def test_battery_is_asked_every_few_seconds(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "thinkpad-battery")
    power = MachinePower(machine.root, machine.clock)
    power.read()
    machine.put(BATTERY, "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=Discharging\nPOWER_SUPPLY_POWER_NOW=8000000")
    machine.now += 1
    assert power.read().power_w == 19.195
    machine.now += 3
    assert power.read().power_w == 8


def test_power_meter_of_a_server(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "server-power-meter")
    power = MachinePower(machine.root, machine.clock)
    assert power.read() == MachineDraw(262, "ACPI power meter")
    machine.put("sys/class/hwmon/hwmon0/device/power1_average", "4294967295000")
    assert power.read() == MachineDraw(), "4.29 MW are no answer"


def test_power_meter_that_lags_says_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "server-power-meter")
    machine.put("sys/class/hwmon/hwmon0/device/power1_average_interval", "300000")
    assert MachinePower(machine.root).read() == MachineDraw(262, "ACPI power meter, mean of 300 s")


def test_two_meters_are_parts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "server-power-meter")
    machine.put("sys/class/hwmon/hwmon1/name", "power_meter")
    machine.put("sys/class/hwmon/hwmon1/power1_average", "130000000")
    assert MachinePower(machine.root).read() == MachineDraw()


def test_sockets_are_not_the_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "server-power-meter")
    machine.put("sys/class/hwmon/hwmon0/device/power1_oem_info", "CPU Power Socket 0")
    assert MachinePower(machine.root).read() == MachineDraw()


def test_platform_counter_that_rests_for_a_moment_is_not_exchanged(tmp_path: Path) -> None:
    Machine(tmp_path, "thinkpad-battery")
    machine = Machine(tmp_path, "kaby-lake-laptop")
    power = reader(machine)
    machine.pass_time(1, z0=2, z0_2=1, z1=9)
    assert power.read().source == "RAPL psys"
    machine.pass_time(1, z0=2, z0_2=1)
    assert power.read() == MachineDraw()
    machine.pass_time(1, z0=2, z0_2=1, z1=18)
    assert power.read() == MachineDraw(9, "RAPL psys", 27)
    machine.pass_time(11, z0=20, z0_2=10)
    assert power.read().source == "battery"


def test_mac_that_runs_linux(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "thinkpad-battery")
    for number, (label, microwatts) in enumerate({"AC Input Power": 0, "Total System Power": 8_412_000}.items(), 1):
        machine.put(f"sys/class/hwmon/hwmon4/power{number}_label", label)
        machine.put(f"sys/class/hwmon/hwmon4/power{number}_input", str(microwatts))
    machine.put("sys/class/hwmon/hwmon4/name", "macsmc_hwmon")
    power = MachinePower(machine.root, machine.clock)
    assert power.read() == MachineDraw(8.412, "SMC")
    machine.put("sys/class/hwmon/hwmon4/power2_input", "")
    assert power.read() == MachineDraw(19.195, "battery")


def test_absence_of_everything(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "cloud-vm")
    power = MachinePower(machine.root, machine.clock)
    for _ in range(3):
        assert power.read() == MachineDraw()
        machine.now += 61


def test_the_meters_of_a_jetson_module_tell_of_the_whole(tmp_path: Path) -> None:
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/compatible").write_bytes(b"nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0")
    chip = tmp_path / "sys/class/hwmon/hwmon3"
    chip.mkdir(parents=True)
    for name, value in (("name", "ina3221"), ("in1_label", "VDD_IN"), ("in1_input", "5000"), ("curr1_input", "1500")):
        (chip / name).write_text(f"{value}\n")
    draw = MachinePower(tmp_path, lambda: 1.0).read()
    assert (draw.power_w, draw.source) == (7.5, "meters of the module")
