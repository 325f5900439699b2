"""Who holds memory on an NVIDIA GPU and for whom it works, by the real binding over the simulated library."""

from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import DeviceProcess

from .simulated import SimulatedNvml


def holders(nvml: SimulatedNvml, text: str) -> tuple[DeviceProcess, ...] | None:
    nvml.write(f"gpu 0\n{text}")
    return NvidiaProbe().read().devices[0].processes


def test_two_processes_are_told_apart_by_the_time_the_gpu_works_for_them(nvml: SimulatedNvml) -> None:
    found = holders(nvml, "compute 41 1000\ncompute 42 2000\nbusy 41 60\nbusy 42 20\n")
    assert found == (DeviceProcess(41, 1000, 0.6), DeviceProcess(42, 2000, 0.2))


def test_a_process_without_a_sample_has_not_worked(nvml: SimulatedNvml) -> None:
    found = holders(nvml, "compute 41 1000\ncompute 42 2000\nbusy 42 20\n")
    assert found == (DeviceProcess(41, 1000, 0.0), DeviceProcess(42, 2000, 0.2))


def test_nothing_found_means_that_none_has_worked(nvml: SimulatedNvml) -> None:
    assert holders(nvml, "compute 41 1\ncompute 42 2\n") == (DeviceProcess(41, 1, 0.0), DeviceProcess(42, 2, 0.0))


def test_a_driver_that_does_not_say_leaves_it_unknown(nvml: SimulatedNvml) -> None:
    found = holders(nvml, "compute 41 1\ncompute 42 2\nerror GetProcessUtilization 3\n")
    assert found == (DeviceProcess(41, 1, None), DeviceProcess(42, 2, None))


def test_a_card_has_the_name_that_the_driver_gives_it(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\ngpu 1\n")
    assert [device.uuid for device in NvidiaProbe().read().devices] == [
        "GPU-00000000-0000-0000-0000-000000000000",
        "GPU-00000000-0000-0000-0000-000000000001",
    ]
