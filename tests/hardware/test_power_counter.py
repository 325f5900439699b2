"""Energy counters: what is told across wraps, resets, sleep and stillness."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.power.energy_counter import Counter, EnergyMeter, Spent, steady_time

from .recorded import Machine, forbidding, told


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def counter(machine: Machine, energy_uj: int, *, range_uj: int | None = 65_712_999_613, name: str = "a") -> Counter:
    """Sets one and describes it."""
    return Counter(file=machine.put(name, str(energy_uj)), range_uj=range_uj, ceiling_w=1000.0)


def test_first_reading_has_an_origin_and_no_power(machine: Machine) -> None:
    assert EnergyMeter(machine.clock).read((counter(machine, 5_000_000),)) == Spent(None, 0.0)


def test_nothing_to_read(machine: Machine) -> None:
    assert EnergyMeter(machine.clock).read(()) == Spent()


def test_joules_add_up_over_wraps(machine: Machine) -> None:
    meter = EnergyMeter(machine.clock)
    energy_uj, spent_j = 65_600_000_000, 0
    found = meter.read((counter(machine, energy_uj),))
    for _ in range(4_000):
        machine.now += 1
        energy_uj = (energy_uj + 100_000_000) % 65_712_999_613
        spent_j += 100
        found = meter.read((counter(machine, energy_uj),))
        assert found.power_w == pytest.approx(100)
    assert spent_j > 6 * 65_713
    assert found.energy_j == pytest.approx(spent_j)


def test_interval_in_which_it_may_have_started_again_twice(machine: Machine) -> None:
    """65,713 J are spent in 65.7 s by 1,000 W."""
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 0),))
    machine.now += 65
    assert told(meter.read((counter(machine, 650_000_000),))) == (10, 650)
    machine.now += 66
    assert meter.read((counter(machine, 1_300_000_000),)) == Spent(None, 0.0)


def test_reset_is_a_gap(machine: Machine) -> None:
    """As after suspend to memory: the counter begins anew, which is no wrap of 60 kJ in a second."""
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 5_000_000_000),))
    machine.now += 1
    meter.read((counter(machine, 5_040_000_000),))
    machine.now += 1
    assert meter.read((counter(machine, 3_000_000),)) == Spent(None, 0.0)
    machine.now += 1
    assert told(meter.read((counter(machine, 33_000_000),))) == (30, 30)


def test_leap_is_a_gap(machine: Machine) -> None:
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 0),))
    machine.now += 1
    assert meter.read((counter(machine, 14_000_000_000),)) == Spent(None, 0.0)


@pytest.mark.parametrize("range_uj", [None, 0])
def test_counter_without_range_that_falls(machine: Machine, range_uj: int | None) -> None:
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 9_000_000, range_uj=range_uj),))
    machine.now += 1
    assert meter.read((counter(machine, 1_000_000, range_uj=range_uj),)) == Spent(None, 0.0)


def test_stillness_is_not_zero_watts(machine: Machine) -> None:
    meter = EnergyMeter(machine.clock)
    still = (counter(machine, 7_000_000),)
    meter.read(still)
    for _ in range(400):
        machine.now += 1
        found = meter.read(still)
        assert found == Spent()
    assert meter.still_s > 60


def test_what_moves_late_is_spread_over_the_whole_time(machine: Machine) -> None:
    """One of whole joules, as of a platform, on an idle machine."""
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 7_000_000),))
    machine.now += 0.4
    assert meter.read((counter(machine, 7_000_000),)) == Spent()
    machine.now += 0.4
    assert told(meter.read((counter(machine, 9_000_000),))) == (2.5, 2)
    assert meter.still_s == 0


def test_part_that_may_rest(machine: Machine) -> None:
    """Memory whose sensor is not wired says 0 for ever; it takes nothing away from the package."""
    meter = EnergyMeter(machine.clock)
    memory = Counter(file=machine.put("memory", "0"), range_uj=65_712_999_613, ceiling_w=1000.0, restless=False)
    meter.read((counter(machine, 0), memory))
    machine.now += 2
    assert told(meter.read((counter(machine, 90_000_000), memory))) == (45, 90)


def test_counter_that_joins_begins_anew(machine: Machine) -> None:
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 0),))
    machine.now += 1
    assert meter.read((counter(machine, 50_000_000), counter(machine, 5, name="b"))) == Spent(None, 0.0)
    machine.now += 1
    found = meter.read((counter(machine, 80_000_000), counter(machine, 20_000_005, name="b")))
    assert told(found) == (50, 50)


def test_forbidden_counter_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = EnergyMeter(machine.clock)
    both = (counter(machine, 0), counter(machine, 0, name="b"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", forbidding("b"))
        assert meter.read(both) == Spent()
    assert meter.forbidden == machine.root / "b"
    machine.now += 1
    assert meter.read(both) == Spent(None, 0.0)
    assert meter.forbidden is None


@pytest.mark.parametrize("content", ["", "no number", "12 13"])
def test_garbage(machine: Machine, content: str) -> None:
    meter = EnergyMeter(machine.clock)
    damaged = counter(machine, 0)
    damaged.file.write_text(content)
    assert meter.read((damaged,)) == Spent()
    assert meter.forbidden is None


def test_two_readings_at_once(machine: Machine) -> None:
    meter = EnergyMeter(machine.clock)
    meter.read((counter(machine, 0),))
    machine.now += 1
    found = meter.read((counter(machine, 40_000_000),))
    machine.now += 0.001
    assert meter.read((counter(machine, 40_000_061),)) == found


def test_steady_time_grows() -> None:
    before = steady_time()
    assert steady_time() >= before
