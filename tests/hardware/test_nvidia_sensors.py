"""Watts, joules and degrees of NVIDIA GPUs of several generations."""

import pytest
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Device

from .simulated import Clock, SimulatedNvml

VOLTA = "cc_major 7\ncc_minor 0\n"
A100 = "cc_major 8\ncc_minor 0\n"
ADA = "cc_major 8\ncc_minor 9\n"
HOPPER = "cc_major 9\ncc_minor 0\n"


def watch(nvml: SimulatedNvml, *states: tuple[float, str]) -> list[Device]:
    """A reading of each state, so many seconds after the one before."""
    clock = Clock()
    probe = NvidiaProbe(clock=clock)
    read: list[Device] = []
    for seconds, text in states:
        clock.now += seconds
        nvml.write(f"gpu 0\n{text}")
        read.append(probe.read().devices[0])
    return read


def test_a_driver_that_tells_average_and_moment_is_believed(nvml: SimulatedNvml) -> None:
    state = f"{HOPPER}power_average 480000\npower_instant 691250\npower 1\nenergy 123456789\nmemory_temperature 71\n"
    (device,) = watch(nvml, (0, state))
    assert (device.power_w, device.power_instant_w, device.energy_j) == (480, 691.25, 123456.789)
    assert (device.temperature_c, device.memory_temperature_c) == (35, 71)


def test_an_older_driver_averages_on_ada_by_itself(nvml: SimulatedNvml) -> None:
    first, second = watch(nvml, (0, f"{ADA}power 300000\nenergy 1000\n"), (1, f"{ADA}power 310000\nenergy 900000\n"))
    assert (first.power_w, first.power_instant_w) == (300, None)
    assert (second.power_w, second.power_instant_w) == (310, None), "not 899 W, which the counter would make"


@pytest.mark.parametrize("generation", [VOLTA, A100])
def test_the_counter_averages_what_the_driver_tells_of_the_moment(nvml: SimulatedNvml, generation: str) -> None:
    states = [(100, 5_000_000), (310, 5_400_000), (90, 5_500_000)]
    first, second, third = watch(
        nvml, *((2, f"{generation}power {watts * 1000}\nenergy {millijoules}\n") for watts, millijoules in states)
    )
    assert (first.power_w, first.power_instant_w, first.energy_j) == (100, 100, 5000)
    assert (second.power_w, second.power_instant_w) == (200, 310)
    assert (third.power_w, third.power_instant_w) == (50, 90)


def test_a_counter_that_began_anew_or_stands_still_averages_nothing(nvml: SimulatedNvml) -> None:
    states = [9_000_000, 9_300_000, 40_000, 40_000, 190_000]
    read = watch(nvml, *((1, f"{A100}power 77000\nenergy {millijoules}\n") for millijoules in states))
    assert [device.power_w for device in read] == [77, 300, 77, 77, 150]
    assert [device.energy_j for device in read] == [9000, 9300, 40, 40, 190]


def test_readings_in_quick_succession_do_not_make_noise(nvml: SimulatedNvml) -> None:
    states = [(1.0, 1_000_000), (1.0, 1_200_000), (0.1, 1_200_001), (0.1, 1_300_000), (0.8, 1_400_000)]
    read = watch(nvml, *((after, f"{A100}power 77000\nenergy {counted}\n") for after, counted in states))
    assert [device.power_w for device in read] == [77, 200, 200, 200, pytest.approx(200)]


def test_pascal_counts_no_energy(nvml: SimulatedNvml) -> None:
    state = "cc_major 6\ncc_minor 1\npower 120000\nerror GetTotalEnergyConsumption 3\n"
    (device,) = watch(nvml, (0, state))
    assert (device.power_w, device.power_instant_w, device.energy_j) == (120, 120, None)


def test_nothing_is_no_figure(nvml: SimulatedNvml) -> None:
    (device,) = watch(nvml, (0, "power 0\nmemory_temperature 0\n"))
    assert (device.power_w, device.memory_temperature_c) == (None, None)
