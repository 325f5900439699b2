"""RAPL on machines of several generations: which counters are added up, which limits hold."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.power.rapl import Rapl
from llmtop.probes.sample import PowerLimit

from .recorded import Machine, forbidding


def power_w(machine: Machine, seconds: float = 1.0, **joules: float) -> float | None:
    """What a fresh reader says after these were spent."""
    rapl = Rapl(machine.root, machine.clock)
    assert rapl.read() is None
    machine.pass_time(seconds, **joules)
    return rapl.read()


def test_laptop_counts_package_and_memory(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    assert power_w(machine, 2, z0=24, z0_0=15, z0_1=4, z0_2=3, z1=40) == pytest.approx((24 + 3) / 2)


def test_desktop_whose_counter_is_about_to_start_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "haswell-desktop")
    assert power_w(machine, z0=65, z0_2=4) == pytest.approx(69)


def test_same_counter_through_other_registers_is_counted_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "alder-lake-laptop")
    assert power_w(machine, z0=28, mmio0=28) == pytest.approx(28)


def test_package_that_is_there_through_memory_only(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.put("sys/class/powercap/intel-rapl-mmio:0/name", "package-0")
    machine.put("sys/class/powercap/intel-rapl-mmio:0/energy_uj", "1000000")
    machine.put("sys/class/powercap/intel-rapl-mmio:0/max_energy_range_uj", "262143328850")
    machine.put("sys/class/powercap/intel-rapl-mmio:0/constraint_0_name", "long_term")
    machine.put("sys/class/powercap/intel-rapl-mmio:0/constraint_0_power_limit_uw", "15000000")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    machine.pass_time(1, mmio0=11)
    assert rapl.read() == pytest.approx(11)
    assert [(limit.name, limit.value_w) for limit in rapl.limits] == [("package MMIO long term", 15)]


def test_two_sockets_with_memory_and_a_platform_between_them(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    assert power_w(machine, z0=200, z0_0=20, z1=600, z2=180, z2_0=15) == pytest.approx(200 + 20 + 180 + 15)


def test_two_dies_that_count_for_themselves(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "cascade-lake-ap")
    assert power_w(machine, z0=150, z0_0=10, z1=140, z1_0=9) == pytest.approx(309)


def test_ryzen(tmp_path: Path) -> None:
    """602 J from its wrap."""
    machine = Machine(tmp_path, "ryzen-desktop")
    assert power_w(machine, 10, z0=1_400, z0_0=900) == pytest.approx(140)


def test_dies_that_all_show_their_package(tmp_path: Path) -> None:
    """Two EPYCs of 8 dies on Linux 6.10: zones 0 to f, and each package once in the sum."""
    machine = Machine(tmp_path)
    machine.put("proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD")
    for number in range(16):
        zone = f"sys/class/powercap/intel-rapl:{number:x}"
        machine.put(f"{zone}/name", f"package-{number // 8}-die-{number % 8}")
        machine.put(f"{zone}/energy_uj", "1000000")
        machine.put(f"{zone}/max_energy_range_uj", "65532610987")
    spent: dict[str, float] = {f"z{number:x}": 180.0 if number < 8 else 220.0 for number in range(16)}
    assert power_w(machine, **spent) == pytest.approx(400)


def test_zones_beyond_nine_are_written_in_letters(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    for number in range(12):
        zone = f"sys/class/powercap/intel-rapl:{number:x}"
        machine.put(f"{zone}/name", f"package-{number}")
        machine.put(f"{zone}/energy_uj", "1000000")
        machine.put(f"{zone}/max_energy_range_uj", "65532610987")
    assert power_w(machine, **{f"z{number:x}": 100.0 for number in range(12)}) == pytest.approx(1200)


def test_joules_since_the_first_reading(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert rapl.energy_j == 0
    for _ in range(3):
        machine.pass_time(1, z0=20, z0_2=2)
        rapl.read()
    assert rapl.energy_j == pytest.approx(66)


def test_one_package_that_cannot_be_read_leaves_the_sum_unknown(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    (machine.root / "sys/class/powercap/intel-rapl:2/energy_uj").unlink()
    machine.pass_time(1, z0=200)
    assert rapl.read() is None
    assert (rapl.energy_j, rapl.problem) == (None, None)


def test_package_that_leaves_with_its_last_core(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    for zone in ("intel-rapl:2", "intel-rapl:2:0"):
        for file in (machine.root / "sys/class/powercap" / zone).iterdir():
            file.unlink()
    machine.pass_time(1, z0=200, z0_0=10)
    assert rapl.read() is None
    machine.pass_time(1, z0=200, z0_0=10)
    assert rapl.read() is None
    machine.pass_time(1, z0=200, z0_0=10)
    assert rapl.read() == pytest.approx(210)


def test_package_that_joins_is_found(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "ryzen-desktop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    machine.put("sys/class/powercap/intel-rapl:1/name", "package-1")
    machine.put("sys/class/powercap/intel-rapl:1/energy_uj", "0")
    machine.put("sys/class/powercap/intel-rapl:1/max_energy_range_uj", "65532610987")
    for _ in range(70):
        machine.pass_time(1, z0=50, z1=40)
        rapl.read()
    machine.pass_time(1, z0=50, z1=40)
    assert rapl.read() == pytest.approx(90)


def test_forbidden_memory_is_as_bad_as_a_forbidden_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    rapl = Rapl(machine.root, machine.clock)
    monkeypatch.setattr(Path, "read_text", forbidding("energy_uj"))
    assert rapl.read() is None
    assert rapl.problem == (
        f"power: {tmp_path}/sys/class/powercap/intel-rapl:0/energy_uj may be read by root only; "
        f"sudo chmod a+r {tmp_path}/sys/class/powercap/intel-rapl:*/energy_uj allows it until the next boot"
    )
    assert rapl.power_limit_w == 200, "limits are open to everybody"


def test_counter_that_stands_still_is_said(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "ryzen-desktop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    for seconds, words in ((1, None), (9, "power: the energy counter of the CPU stands still")):
        machine.pass_time(seconds)
        assert rapl.read() is None
        assert (rapl.energy_j, rapl.problem) == (None, words)
    machine.pass_time(1, z0=20)
    assert rapl.read() == pytest.approx(20 / 11)
    assert rapl.problem is None


def test_container_that_hides_what_is_behind_the_names(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/powercap"
    folder.mkdir(parents=True)
    (folder / "intel-rapl:0").symlink_to("../../devices/virtual/powercap/intel-rapl/intel-rapl:0")
    rapl = Rapl(tmp_path)
    assert rapl.read() is None
    assert rapl.found
    assert "systempaths=unconfined" in (rapl.problem or "")


def zone(root: Path, name: str, number: int) -> str:
    """The file of a limit."""
    return str(root / f"sys/class/powercap/{name}/constraint_{number}_power_limit_uw")


def test_limits_of_a_laptop(tmp_path: Path) -> None:
    """All of them; of two registers for the same package the lower holds."""
    machine = Machine(tmp_path, "alder-lake-laptop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    shown = [(limit.name, limit.value_w, limit.max_w, limit.default_w, limit.window_s) for limit in rapl.limits]
    assert shown == [
        ("package long term", 200, None, 28, 27.983872),
        ("package short term", 44, None, None, 0.00244),
        ("package peak", 126, None, None, None),
        ("package MMIO long term", 15, None, 28, 27.983872),
        ("package MMIO short term", 30, None, None, 0.00244),
        ("package MMIO peak", 126, None, None, None),
    ]
    assert rapl.limits[3].where == zone(tmp_path, "intel-rapl-mmio:0", 0)
    assert (rapl.power_limit_w, rapl.power_limit_default_w) == (15, 28)


def test_limits_of_two_sockets(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert rapl.limits == (
        PowerLimit(
            name="package 0 long term",
            value_w=350,
            default_w=350,
            window_s=0.999424,
            writable=True,
            where=zone(tmp_path, "intel-rapl:0", 0),
        ),
        PowerLimit(
            name="package 0 short term",
            value_w=420,
            max_w=764,
            window_s=0.011712,
            writable=True,
            where=zone(tmp_path, "intel-rapl:0", 1),
        ),
        PowerLimit(
            name="package 1 long term",
            value_w=350,
            default_w=350,
            window_s=0.999424,
            writable=True,
            where=zone(tmp_path, "intel-rapl:2", 0),
        ),
    )
    assert (rapl.power_limit_w, rapl.power_limit_default_w) == (700, 700)


def test_limit_of_ones_limits_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    machine.put("sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "4095875000")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert (rapl.limits[0].name, rapl.limits[0].value_w) == ("package long term", None)
    assert (rapl.power_limit_w, rapl.power_limit_default_w) == (None, 17)


def test_memory_is_limited_only_where_something_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "haswell-desktop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert not rapl.limits
    machine.put("sys/class/powercap/intel-rapl:0:2/constraint_0_power_limit_uw", "30000000")
    rapl.read()
    assert [(limit.name, limit.value_w) for limit in rapl.limits] == [("memory long term", 30)]


def test_locked_zone_keeps_its_limit_and_may_not_be_written(tmp_path: Path) -> None:
    """`enabled` 0 is "off" and "locked" alike, so only trying would tell."""
    machine = Machine(tmp_path, "kaby-lake-laptop")
    machine.put("sys/class/powercap/intel-rapl:0/enabled", "0")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert (rapl.limits[0].value_w, rapl.limits[0].writable, rapl.power_limit_w) == (200, None, 200)


def test_limit_that_is_changed_while_we_look(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "alder-lake-laptop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    machine.put("sys/class/powercap/intel-rapl-mmio:0/constraint_0_power_limit_uw", "22000000")
    machine.pass_time(1, z0=5)
    rapl.read()
    assert (rapl.limits[3].value_w, rapl.power_limit_w) == (22, 22)


def test_no_limits_on_amd(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "ryzen-desktop")
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    assert (rapl.limits, rapl.power_limit_w, rapl.power_limit_default_w) == ((), None, None)
