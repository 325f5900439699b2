"""The share of the bandwidth that NVIDIA GPUs from Hopper on count."""

import time

from llmtop.probes.hardware.nvidia.gpm import NvidiaBandwidthUse
from llmtop.probes.hardware.nvidia.nvml import Nvml
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe

from .simulated import Clock, SimulatedNvml


def test_it_is_known_from_the_second_reading_on(nvml: SimulatedNvml) -> None:
    clock = Clock()
    nvml.write("gpu 0\ngpm 1\ndram 90\n")
    probe = NvidiaProbe(clock=clock)
    seen = [probe.read().devices[0].bandwidth_utilization]
    for percent in (64, 37, 0):
        clock.now += 1
        nvml.write(f"gpu 0\ngpm 1\ndram {percent}\n")
        seen.append(probe.read().devices[0].bandwidth_utilization)
    assert seen == [None, 0.64, 0.37, 0.0]


def test_readings_closer_than_the_samples_repeat_the_last(nvml: SimulatedNvml) -> None:
    clock = Clock()
    probe = NvidiaProbe(clock=clock)
    for percent, after in ((10, 0.0), (20, 1.0), (30, 0.05)):
        nvml.write(f"gpu 0\ngpm 1\ndram {percent}\n")
        clock.now += after
        use = probe.read().devices[0].bandwidth_utilization
    assert use == 0.2


def test_a_gpu_before_hopper_counts_nothing_and_holds_no_samples(nvml: SimulatedNvml) -> None:
    before = nvml.samples
    clock = Clock()
    nvml.write("gpu 0\ngpm 0\ndram 50\n")
    probe = NvidiaProbe(clock=clock)
    for _ in range(3):
        assert probe.read().devices[0].bandwidth_utilization is None
        clock.now += 1
    assert nvml.samples == before


def test_a_gap_in_the_samples_is_a_gap(nvml: SimulatedNvml) -> None:
    clock = Clock()
    good = "gpu 0\ngpm 1\ndram 50\n"
    seen: list[float | None] = []
    probe = NvidiaProbe(clock=clock)
    for state in (good, good, f"{good}error nvmlGpmSampleGet 999\n", good, good):
        nvml.write(state)
        seen.append(probe.read().devices[0].bandwidth_utilization)
        clock.now += 1
    assert seen == [None, 0.5, None, None, 0.5]


def test_samples_go_back_to_the_library_with_a_lost_gpu(nvml: SimulatedNvml) -> None:
    before = nvml.samples
    nvml.write("gpu 0\ngpm 1\n")
    probe = NvidiaProbe()
    probe.read()
    assert nvml.samples == before + 2
    nvml.write("gpu 0\ngpm 1\nerror * 15\n")
    probe.read()
    assert nvml.samples == before


def test_a_reading_again_after_closing_begins_anew(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\ngpm 1\ndram 50\n")
    library = Nvml()
    library.start()
    device, problem = library.gpu(0)
    assert device
    assert problem is None
    use = NvidiaBandwidthUse(device, time.monotonic)
    before = nvml.samples
    use.read()
    use.close()
    use.close()
    assert nvml.samples == before
