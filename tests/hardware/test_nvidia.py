"""NVIDIA GPUs, read by the real binding from a simulated library."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import DeviceProcess

from .simulated import EVERYTHING, NOTHING, Clock, SimulatedNvml, process, run

TWO = """
gpu 0
name NVIDIA GeForce RTX 4090
pci_id 0x268410de
utilization 97
temperature 64
power 312500
limit 350000
sm_clock 2520
memory_clock 10501
memory_used 21000000000
reasons 0x5
gpu 1
name NVIDIA H100 80GB HBM3
memory_total 85520809984
memory_clock_max 2619
bus_width 5120
sm_clock_max 1980
cores 16896
cc_major 9
cc_minor 0
"""


def test_reads_what_lasts_and_what_moves(nvml: SimulatedNvml) -> None:
    nvml.write(TWO)
    devices = NvidiaProbe().read()
    assert devices.problem is None
    card, server = devices.devices
    assert (card.id, card.name, card.vendor, card.kind) == ("nvidia0", "NVIDIA GeForce RTX 4090", "NVIDIA", "gpu")
    assert card.pci_address == "00000000:01:00.0"
    assert card.pci_id == "10de:2684"
    assert (card.memory_total_bytes, card.memory_used_bytes) == (24 << 30, 21_000_000_000)
    assert card.utilization == pytest.approx(0.97)
    assert (card.temperature_c, card.sm_clock_mhz, card.memory_clock_mhz) == (64, 2520, 10501)
    assert (card.power_w, card.power_limit_w, card.power_limit_default_w) == (312.5, 350, 450)
    assert (card.power_limit_min_w, card.power_limit_max_w) == (150, 600)
    assert card.throttle_reasons == ("power cap",)
    assert (card.driver, card.unread, card.remarks) == ("NVIDIA 580.65.06", (), ())
    assert (card.architecture, card.memory_type, card.cores) == ("8.9", "GDDR", 16384)
    assert card.bandwidth_gbs.peak == pytest.approx(1008, rel=1e-3)
    assert card.processes == ()
    assert (server.id, server.architecture, server.memory_type) == ("nvidia1", "9.0", "HBM")
    assert server.bandwidth_gbs.peak == pytest.approx(3352, rel=1e-3)


def test_state_changes_between_readings(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\npower 100000\n")
    probe = NvidiaProbe()
    assert probe.read().devices[0].power_w == 100
    nvml.write("gpu 0\npower 250000\nreasons 0x60\nlimit 300000\n")
    device = probe.read().devices[0]
    assert (device.power_w, device.power_limit_w) == (250, 300)
    assert device.throttle_reasons == ("too hot (hardware)", "too hot (software)")


@pytest.mark.parametrize("code", [3, 4, 13])
def test_what_is_refused_is_none(nvml: SimulatedNvml, tmp_path: Path, code: int) -> None:
    refused = (
        "GetPowerUsage GetPowerManagementLimit GetEnforcedPowerLimit GetPowerManagementLimitConstraints "
        "GetPowerManagementDefaultLimit GetUtilizationRates GetMemoryInfo GetTemperature GetTemperatureV GetClockInfo "
        "GetMaxClockInfo GetMemoryBusWidth GetNumGpuCores GetCudaComputeCapability GetPciInfo_v3 "
        "GetCurrentClocksEventReasons GetCurrentClocksThrottleReasons GetComputeRunningProcesses_v3 "
        "GetGraphicsRunningProcesses_v3 GetName GetUUID GetFieldValues GetTotalEnergyConsumption GetEccMode GetMigMode "
        "GetCurrPcieLinkGeneration GetCurrPcieLinkWidth GetMaxPcieLinkGeneration GetMaxPcieLinkWidth GetNvLinkState "
        "nvmlGpmQueryDeviceSupport"
    )
    nvml.write("gpu 0\nreasons 4\n" + "".join(f"error {name} {code}\n" for name in refused.split()))
    (device,) = NvidiaProbe(root=process(tmp_path, NOTHING)).read().devices
    assert device.problem is None
    assert device.name == "NVIDIA GPU"
    known = {name for name in device.__struct_fields__ if getattr(device, name) not in (None, ())}
    assert known == {"id", "name", "vendor", "kind", "bandwidth_gbs", "compute_tflops", "driver", "unread"}
    assert device.bandwidth_gbs.peak is None
    assert device.bandwidth_gbs.basis
    assert device.compute_tflops.fp16 is None
    assert ("root only" in device.unread[0]) == (code == 4)


def test_what_root_may_read_only_is_said_once_and_no_more_once_it_is_told(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write("gpu 0\nerror GetPowerUsage 4\nerror GetComputeRunningProcesses_v3 4\n")
    clock = Clock()
    root = NvidiaProbe(root=process(tmp_path / "root", EVERYTHING), clock=clock).read().devices[0]
    assert root.unread == ("power, processes: the driver keeps it from this process",), "sudo would bring no more"
    probe = NvidiaProbe(root=process(tmp_path, NOTHING), clock=clock)
    words = "power, processes: the driver tells it to root only; sudo llmtop shows it"
    assert probe.read().devices[0].unread == (words,)
    nvml.write("gpu 0\n")
    clock.now += 5
    assert probe.read().devices[0].unread == ()


def test_a_card_whose_power_nobody_measures_says_so(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nerror GetPowerUsage 3\n")
    assert NvidiaProbe().read().devices[0].unread == ("power: the driver does not measure it on this GPU",)


def test_wsl_lists_processes_without_ids_and_lacks_questions(nvml: SimulatedNvml) -> None:
    missing = "GetTotalEnergyConsumption GetEccMode GetMigMode GetFieldValues GetProcessUtilization GetNvLinkState"
    lacks = "".join(f"error {name} 3\n" for name in missing.split())
    nvml.write(f"gpu 0\nname NVIDIA GeForce RTX 4090\npower 60000\ncompute 0 -\n{lacks}")
    (device,) = NvidiaProbe().read().devices
    assert (device.processes, device.power_w, device.energy_j, device.problem) == (None, 60, None, None)
    assert device.unread == ("processes: the driver does not tell who uses this GPU",)


def test_a_reason_that_is_newer_than_the_list_is_told_by_its_number(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nreasons 0x1805\n")
    assert NvidiaProbe().read().devices[0].throttle_reasons == ("power cap", "reason 0x1800")


def test_limit_of_a_laptop_is_the_enforced_one(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nlimit 80000\nerror GetPowerManagementLimit 3\n")
    assert NvidiaProbe().read().devices[0].power_limit_w == 80


def test_old_driver_lacks_functions(
    install_nvml: Callable[[Path], SimulatedNvml],
    old_nvml_library: Path,
) -> None:
    install_nvml(old_nvml_library).write("gpu 0\nreasons 4\npower 9000\n")
    (device,) = NvidiaProbe().read().devices
    assert (device.cores, device.processes, device.compute_tflops.fp32) == (None, None, None)
    assert device.throttle_reasons == ("power cap",)
    assert (device.power_w, device.problem) == (9, None)


def test_lost_gpu_keeps_its_facts_and_leaves_the_others_alone(nvml: SimulatedNvml) -> None:
    nvml.write(TWO)
    probe = NvidiaProbe()
    probe.read()
    nvml.write(TWO.replace("name NVIDIA GeForce RTX 4090", "error * 15"))
    lost, good = probe.read().devices
    assert lost.problem == "GPU is lost: it fell off the bus; reboot or reset it"
    assert (lost.name, lost.memory_total_bytes) == ("NVIDIA GeForce RTX 4090", 24 << 30)
    assert (lost.power_w, lost.utilization, lost.throttle_reasons) == (None, None, ())
    assert (good.problem, good.power_w) == (None, 22)
    nvml.write(TWO)
    assert probe.read().devices[0].problem is None


def test_gpu_lost_from_the_start_is_met_when_it_is_back(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nerror * 15\n")
    probe = NvidiaProbe()
    (device,) = probe.read().devices
    assert (device.name, device.problem) == ("NVIDIA GPU", "GPU is lost: it fell off the bus; reboot or reset it")
    nvml.write("gpu 0\nerror GetHandleByIndex 4\n")
    assert probe.read().devices[0].problem == "no permission to use this GPU; see the rights on /dev/nvidia*"
    nvml.write("gpu 0\nname Back\n")
    (device,) = probe.read().devices
    assert (device.name, device.problem) == ("Back", None)


def test_lost_while_its_facts_are_read(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nerror GetNumGpuCores 16\n")
    probe = NvidiaProbe()
    assert "reset" in (probe.read().devices[0].problem or "")
    nvml.write("gpu 0\n")
    assert probe.read().devices[0].cores == 16384


def test_processes_are_merged_and_looked_up_seldom(nvml: SimulatedNvml) -> None:
    clock = Clock()
    probe = NvidiaProbe(clock=clock)
    nvml.write("gpu 0\ncompute 30 4096\ncompute 7 -\ngraphics 30 8192\ngraphics 12 100\n")
    expected = (DeviceProcess(7, None, 0.0), DeviceProcess(12, 100, 0.0), DeviceProcess(30, 8192, 0.0))
    assert probe.read().devices[0].processes == expected
    nvml.write("gpu 0\n")
    clock.now += 1
    assert probe.read().devices[0].processes == expected
    clock.now += 1
    assert probe.read().devices[0].processes == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [(18, "different versions"), (9, "not loaded"), (4, "no permission"), (999, "does not start")],
)
def test_driver_in_trouble_says_what_to_do_and_is_asked_again(nvml: SimulatedNvml, code: int, words: str) -> None:
    clock = Clock()
    nvml.write(f"init {code}\ngpu 0\n")
    probe = NvidiaProbe(clock=clock)
    devices = probe.read()
    assert devices.devices == ()
    assert devices.problem
    assert words in devices.problem
    nvml.write("gpu 0\n")
    clock.now += 10
    assert probe.read().devices == ()
    clock.now += 60
    devices = probe.read()
    assert (len(devices.devices), devices.problem) == (1, None)


def test_two_threads_read_at_once(nvml: SimulatedNvml) -> None:
    nvml.write(TWO)
    probes = [NvidiaProbe(), NvidiaProbe()]
    seen: list[set[str]] = [set(), set()]

    def watch(index: int) -> None:
        for _ in range(200):
            seen[index] |= {device.name for device in probes[index].read().devices}

    threads = [threading.Thread(target=watch, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        nvml.write(TWO)
    for thread in threads:
        thread.join()
    assert seen == [{"NVIDIA GeForce RTX 4090", "NVIDIA H100 80GB HBM3"}] * 2


def test_detect_loads_the_library_by_its_name(nvml_library: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text(TWO)
    program = (
        "from llmtop.probes.hardware.nvidia.probe import NvidiaProbe\n"
        "probes = NvidiaProbe.detect()\n"
        "print(len(probes), *(device.name for probe in probes for device in probe.read().devices), sep='|')"
    )
    assert run(program, nvml_library, state) == "1|NVIDIA GeForce RTX 4090|NVIDIA H100 80GB HBM3"


def test_no_library_no_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", missing)
    assert NvidiaProbe.detect() == []


def test_library_that_vanished_is_no_problem(nvml: SimulatedNvml) -> None:
    nvml.write("init 12\n")
    devices = NvidiaProbe().read()
    assert (devices.devices, devices.problem) == ((), None)
