"""NVIDIA GPUs side by side: one that hangs, what a reading costs, and that nothing grows."""

import gc
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe

from .simulated import PACKAGES, Clock, SimulatedNvml, environment, run

HOPPER = """
cc_major 9
cc_minor 0
utilization 99
reasons 4
power_average 500000
power_instant 510000
memory_temperature 60
energy 100000
gpm 1
dram 40
nvlinks 18
nvlinks_up 18
nvlink_version 6
nvlink_mbps 26562
ecc 2
mig 1
compute 1 1000
compute 2 1000
"""


def test_a_gpu_that_hangs_for_ten_seconds_delays_nobody_and_not_the_end(nvml_library: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("gpu 0\nname One\ndelay GetUtilizationRates 10000\ngpu 1\nname Two\npower 55000\n")
    program = (
        "import time\n"
        "from llmtop.probes.hardware.nvidia.probe import NvidiaProbe\n"
        "probe = NvidiaProbe(patience_s=0.2)\n"
        "for _ in range(3):\n"
        "    began = time.monotonic()\n"
        "    hung, well = probe.read().devices\n"
        "    print(hung.id, hung.name, hung.problem, well.power_w, time.monotonic() - began < 0.45, sep='|')"
    )
    began = time.monotonic()
    said = run(program, nvml_library, state)
    assert time.monotonic() - began < 8
    assert said.splitlines() == ["nvidia0|NVIDIA GPU|its driver does not answer|55.0|True"] * 3


def test_a_gpu_that_answers_late_is_back_when_it_has(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nname One\npower 40000\n")
    probe = NvidiaProbe(patience_s=0.1)
    assert probe.read().devices[0].power_w == 40
    nvml.write("gpu 0\nname One\npower 50000\ndelay GetTemperature 400\n")
    late = probe.read().devices[0]
    assert (late.name, late.power_w, late.problem) == ("One", None, "its driver does not answer")
    nvml.write("gpu 0\nname One\npower 60000\n")
    time.sleep(0.5)
    back = probe.read().devices[0]
    assert (back.power_w, back.problem) == (60, None)


def test_the_first_reading_waits_for_a_gpu_that_the_driver_must_wake(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nname One\ndelay GetHandleByIndex 600\ngpu 1\n")
    slow, fast = NvidiaProbe(patience_s=0.1).read().devices
    assert (slow.name, slow.problem, fast.problem) == ("One", None, None)
    nvml.write("gpu 0\nname One\ndelay GetHandleByIndex 900\n")
    began = time.monotonic()
    (silent,) = NvidiaProbe(patience_s=0.1, wake_s=0.2).read().devices
    assert 0.29 < time.monotonic() - began < 0.6
    assert silent.problem == "its driver does not answer"
    time.sleep(0.7)


def test_a_driver_that_hangs_while_it_starts_keeps_its_own_thread_only(nvml: SimulatedNvml) -> None:
    nvml.write("init_delay 300\ngpu 0\n")
    began = time.monotonic()
    assert len(NvidiaProbe().read().devices) == 1
    assert time.monotonic() - began > 0.29


@pytest.mark.parametrize("command", [("probe",), ("--once", "--no-discover")])
def test_a_driver_that_hangs_while_it_starts_is_missed_in_words(
    nvml_library: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    state = tmp_path / "state"
    state.write_text("init_delay 10000\ngpu 0\n")
    settings = environment(nvml_library, state) | {"PYTHONPATH": str(PACKAGES)}
    began = time.monotonic()
    told = subprocess.run([sys.executable, "-m", "llmtop", *command], env=settings, check=True, capture_output=True)
    assert time.monotonic() - began < 5
    assert b"nvidia: no answer" in told.stdout
    assert b"none found" not in told.stdout


def test_a_lost_gpu_is_no_matter_of_its_neighbours(nvml: SimulatedNvml) -> None:
    nvml.write("".join(f"gpu {index}\n" + "error * 15\n" * (index % 2) for index in range(8)))
    probe = NvidiaProbe()
    for _ in range(50):
        lost = [device.problem is not None for device in probe.read().devices]
        assert lost == [False, True] * 4


@pytest.mark.parametrize("code", [1, 2, 9, 999])
def test_a_gpu_that_answers_with_errors_only_is_in_trouble_until_it_is_back(nvml: SimulatedNvml, code: int) -> None:
    nvml.write("gpu 0\nname One\npower 40000\ngpu 1\n")
    clock = Clock()
    probe = NvidiaProbe(clock=clock)
    probe.read()
    nvml.write(f"gpu 0\nname One\nerror * {code}\ngpu 1\n")
    for said in ("tells nothing of this GPU any more", "gives no access"):
        clock.now += 1
        gone, well = probe.read().devices
        assert (gone.name, gone.power_w, gone.unread, well.problem) == ("One", None, (), None)
        assert said in (gone.problem or "")
    nvml.write("gpu 0\nname One\npower 40000\ngpu 1\n")
    back = probe.read().devices[0]
    assert (back.power_w, back.problem) == (40, None)


def test_eight_gpus_cost_little_and_are_asked_little(nvml: SimulatedNvml) -> None:
    nvml.write("".join(f"gpu {index}\n{HOPPER}" for index in range(8)))
    clock = Clock()
    probe = NvidiaProbe(clock=clock)
    assert [device.id for device in probe.read().devices] == [f"nvidia{index}" for index in range(8)]
    costs: list[float] = []
    asked: list[int] = []
    for _ in range(60):
        clock.now += 1
        before, start = nvml.calls, time.process_time()
        probe.read()
        costs.append(time.process_time() - start)
        asked.append(nvml.calls - before)
    assert sorted(costs)[30] < 0.005, "seconds of CPU for eight GPUs"
    assert min(asked) == 8 * 9, "what moves: nine questions a GPU"
    assert sum(asked) / len(asked) < 8 * 14, "what moves slowly is asked now and then"


def test_nothing_grows_over_ten_thousand_readings(nvml: SimulatedNvml) -> None:
    nvml.write(f"gpu 0\n{HOPPER}")
    clock = Clock()
    probe = NvidiaProbe(clock=clock)

    def read(times: int) -> int:
        for _ in range(times):
            clock.now += 1
            probe.read()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    samples = nvml.samples
    tracemalloc.start()
    try:
        before = read(500)
        grown = read(10_000) - before
    finally:
        tracemalloc.stop()
    assert grown < 20_000, "bytes in ten thousand readings: less than the smallest object for each"
    assert nvml.samples == samples + 2


def test_what_a_gpu_does_not_support_is_asked_once_a_minute(nvml: SimulatedNvml) -> None:
    clock = Clock()
    nvml.write("gpu 0\nerror GetCurrentClocksEventReasons 3\nreasons 4\n")
    probe = NvidiaProbe(clock=clock)
    probe.read()

    def asked() -> int:
        before = nvml.calls
        assert probe.read().devices[0].throttle_reasons == ("power cap",)
        return nvml.calls - before

    few = asked()
    nvml.write("gpu 0\nreasons 4\n")
    assert asked() == few, "the old name answers, the new one is not tried"
    clock.now += 61
    probe.read()
    clock.now += 0.1
    nvml.write("gpu 0\nreasons 4\nerror GetCurrentClocksThrottleReasons 3\n")
    assert asked() == few, "the new name answers now"
