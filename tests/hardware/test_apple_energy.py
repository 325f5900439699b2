"""Energy counters of Apple chips behind a stand-in for the library; figures recorded by others, none by us."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.hardware.apple.energy import REST_WINDOW_S, AppleEnergy, load_monitor
from llmtop.probes.hardware.apple.power import ApplePower

from .apple_mac import Mac, Told, only


class Counters:
    """`AppleEnergyMonitor` of zeus-apple-silicon 1.1: fields in millijoules, None where the chip counts none."""

    def __init__(self) -> None:
        self.cpu_total_mj: int | None = 5_000_000
        self.gpu_mj: int | None = 9_000_000
        self.ane_mj: int | None = 40_000
        self.dram_mj: int | None = 2_000_000
        self.trouble: Exception | None = None

    def get_cumulative_energy(self) -> "Counters":
        if self.trouble:
            raise self.trouble
        return self

    def spend(self, seconds: float, *, cpu_w: float = 0, gpu_w: float = 0, ane_w: float = 0, dram_w: float = 0) -> None:
        """Counts up, as 1 W is 1000 mJ a second."""
        for name, watts in (("cpu_total_mj", cpu_w), ("gpu_mj", gpu_w), ("ane_mj", ane_w), ("dram_mj", dram_w)):
            before = getattr(self, name)
            if before is not None:
                setattr(self, name, before + round(watts * seconds * 1000))


class Bench:
    """Counters, a clock and a reader."""

    def __init__(self, *, dies: int = 1) -> None:
        self.now = 50.0
        self.counters = Counters()
        self.energy = AppleEnergy(lambda: self.counters, lambda: self.now, dies=dies)

    def pass_time(self, seconds: float, **watts: float) -> float | None:
        self.now += seconds
        self.counters.spend(seconds, **watts)
        return self.energy.read().power_w


def test_power_is_that_of_cpu_gpu_neural_engine_and_memory() -> None:
    bench = Bench()
    first = bench.energy.read()
    assert first.power_w is None
    assert first.energy_j == pytest.approx(5000 + 9000 + 40 + 2000)
    assert bench.pass_time(1, cpu_w=6, gpu_w=38.5, ane_w=0.5, dram_w=9) == pytest.approx(54)
    assert bench.energy.read().energy_j == pytest.approx(16040 + 54)


def test_the_gpu_moves_at_once_and_the_rest_is_averaged() -> None:
    bench = Bench()
    bench.energy.read()
    for _ in range(30):
        bench.pass_time(1, cpu_w=8, gpu_w=40)
    assert bench.pass_time(1, cpu_w=8, gpu_w=10) == pytest.approx(18)
    assert bench.pass_time(1, cpu_w=0, gpu_w=10) == pytest.approx(10 + 8 * 7 / REST_WINDOW_S)


def test_counters_that_move_twice_in_two_seconds_give_a_steady_power() -> None:
    """An M1 Ultra publishes after 1.79 s and after 0.3 s (pull request 424 of lablup/all-smi); 14.8, 0.2 and 3.9 W."""
    bench, published = Bench(), 0.0
    times = sorted([2.09 * turn + 1.79 for turn in range(40)] + [2.09 * turn for turn in range(1, 40)])
    bench.energy.read()
    seen: list[float | None] = []
    for second in range(1, 60):
        latest = max([0.0, *(moment for moment in times if moment <= second)])
        bench.counters.spend(latest - published, cpu_w=14.8, ane_w=0.2, dram_w=3.9)
        published = latest
        bench.counters.spend(1, gpu_w=30)
        bench.now += 1
        seen.append(bench.energy.read().power_w)
    steady = [power for power in seen[10:] if power is not None]
    assert len(steady) == 49
    assert min(steady) > 0.9 * 48.9
    assert max(steady) < 1.1 * 48.9
    assert sum(steady) / len(steady) == pytest.approx(48.9, rel=0.01)


def test_no_power_before_the_slower_counters_moved() -> None:
    bench = Bench()
    bench.energy.read()
    assert bench.pass_time(1, gpu_w=30) is None
    assert bench.pass_time(1, gpu_w=30, cpu_w=4) == pytest.approx(32)


def test_two_readings_at_once_give_the_last_power() -> None:
    bench = Bench()
    bench.energy.read()
    assert bench.pass_time(1, cpu_w=4, gpu_w=30) == pytest.approx(34)
    assert bench.pass_time(0.001, cpu_w=4, gpu_w=30) == pytest.approx(34)


def test_counters_that_begin_anew() -> None:
    bench = Bench()
    bench.energy.read()
    bench.pass_time(1, cpu_w=4, gpu_w=30)
    bench.counters.cpu_total_mj = bench.counters.gpu_mj = bench.counters.ane_mj = bench.counters.dram_mj = 0
    assert bench.pass_time(1) is None
    assert bench.energy.read().energy_j == 0
    assert bench.pass_time(1, cpu_w=3, gpu_w=7) == pytest.approx(10)


def test_a_chip_without_a_counter_for_its_memory_says_so() -> None:
    bench = Bench()
    bench.counters.dram_mj = bench.counters.ane_mj = None
    assert bench.energy.read().memory is False
    assert bench.pass_time(1, cpu_w=4, gpu_w=30, dram_w=9) == pytest.approx(34)


def test_of_two_dies_the_library_counts_the_cpu_of_one() -> None:
    assert Bench(dies=2).energy.read().one_die is True
    assert Bench().energy.read().one_die is False


def test_a_cpu_counter_that_stands_still_is_not_filled() -> None:
    """As on a beta of macOS 27, where those of all blocks stay at 0 (pull request 74 of metaspartan/mactop)."""
    bench = Bench()
    bench.counters.cpu_total_mj = 0
    for _ in range(12):
        assert bench.pass_time(1, gpu_w=20) is None
        assert bench.energy.problem is None
    bench.pass_time(2, gpu_w=20)
    assert bench.energy.problem == "macOS does not fill the energy counter of the CPU"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (RuntimeError("Failed to create IOReport subscription.\nand more"), "Failed to create IOReport subscription."),
        (ValueError("Unsupported or invalid energy unit provided: eV"), "energy unit provided: eV"),
        (RuntimeError(""), "RuntimeError"),
    ],
)
def test_a_library_that_raises_gives_way_to_the_next(trouble: Exception, said: str) -> None:
    bench = Bench()
    bench.counters.trouble = trouble
    assert bench.energy.read().power_w is None
    assert bench.energy.problem is not None
    assert said in bench.energy.problem
    assert "\n" not in bench.energy.problem

    def fail() -> Counters:
        raise trouble

    assert said in (AppleEnergy(fail, lambda: 0.0).problem or "")


def test_a_library_without_the_counters_is_no_source() -> None:
    bench = Bench()
    bench.counters.gpu_mj = None
    bench.energy.read()
    assert bench.energy.problem == "zeus-apple-silicon finds no counters for the CPU and the GPU"


def test_the_library_is_loaded_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ImportError):
        load_monitor()
    (tmp_path / "zeus_apple_silicon.py").write_text(
        "class AppleEnergyMetrics:\n"
        "    cpu_total_mj, gpu_mj, ane_mj, dram_mj, gpu_sram_mj = 7000, 1000, 0, 500, 90\n"
        "class AppleEnergyMonitor:\n"
        "    def get_cumulative_energy(self):\n"
        "        return AppleEnergyMetrics()\n"
    )
    try:
        energy = AppleEnergy(load_monitor, lambda: 1.0)
        assert energy.read().energy_j == pytest.approx(8.5)
    finally:
        sys.modules.pop("zeus_apple_silicon", None)


def test_without_the_library_the_next_source_is_asked_and_without_any_the_remedy_is_told() -> None:
    mac = Mac("m4-max")
    chip = mac.chip()
    (sentence,) = only(chip).unread
    assert sentence == (
        "power: macOS tells its own energy counters through a library only; pip install 'llmtop-tui[apple]' or "
        "brew install macmon allows it without root, sudo llmtop with it"
    )
    counters = Counters()
    told = mac.chip(counters)
    only(told)
    counters.spend(2, cpu_w=5, gpu_w=40, dram_w=6)
    mac.now += 2
    device = only(told)
    assert device.power_w == pytest.approx(51)
    assert device.unread == ()
    assert device.energy_j == pytest.approx(16040 + 102)


def test_on_two_dies_macmon_goes_first() -> None:
    mac, counters, told = Mac("m3-ultra"), Counters(), Told()
    only(mac.chip(counters, told))
    assert only(mac.chip(counters, told)).energy_j is None
    assert only(mac.chip(counters)).remarks == ("its power is without the CPU cores of one of its two dies",)


def test_sources_that_fail_are_tried_anew_after_a_minute() -> None:
    now, opened = [0.0], list[Told]()

    def source(problem: str | None) -> Callable[[], Told]:
        def build() -> Told:
            opened.append(Told(problem))
            return opened[-1]

        return build

    power = ApplePower([source("it broke"), source("")], lambda: now[0])
    for _ in range(5):
        power.read()
        now[0] += 10
    assert len(opened) == 2
    assert [told.closed for told in opened] == [1, 1]
    assert power.unread[0].startswith("power: it broke; pip install")
    now[0] += 20
    power.read()
    assert len(opened) == 4
