"""NVIDIA GPUs that are shared out: their instances are devices, against the profiles of NVIDIA's MIG user guide."""

import pytest
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.estimator.link import serving
from llmtop.probes.hardware.nvidia.mig import bandwidth_part
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Bandwidth, Device, DeviceProcess, Engine

from .simulated import Clock, SimulatedNvml

A100 = """
gpu 0
name NVIDIA A100-SXM4-80GB
cc_major 8
cc_minor 0
cores 6912
memory_total 85899345920
bus_width 5120
memory_clock_max 1593
sm_clock_max 1410
power 180000
mig 2
"""
TWO = f"""{A100}
instance 0
name NVIDIA A100-SXM4-80GB MIG 3g.40gb
memory_total 42144366592
memory_used 20000000000
memory_mb 40192
sms 42
slices 3
gpu_instance 1
compute 41 19000000000
instance 1
name NVIDIA A100-SXM4-80GB MIG 1g.10gb
memory_total 10200547328
memory_used 13000000
memory_mb 9728
sms 14
slices 1
gpu_instance 9
"""


def read(nvml: SimulatedNvml, text: str) -> tuple[Device, ...]:
    nvml.write(text)
    return NvidiaProbe().read().devices


def test_each_instance_is_a_device_with_its_part(nvml: SimulatedNvml) -> None:
    whole, large, small = read(nvml, TWO)
    assert (whole.id, whole.power_w, whole.power_limit_w, whole.utilization) == ("nvidia0", 180, 450, None)
    assert whole.remarks == ("MIG: its work is done by nvidia0.0, nvidia0.1",)
    assert whole.processes == (DeviceProcess(41, 19000000000),)
    assert (large.id, large.parent, large.name) == ("nvidia0.0", "nvidia0", "NVIDIA A100-SXM4-80GB MIG 3g.40gb")
    assert (large.uuid or "").startswith("MIG-")
    assert large.uuid != small.uuid
    assert (large.memory_total_bytes, large.memory_used_bytes) == (42144366592, 20000000000)
    assert (large.power_w, large.energy_j, large.power_limit_w, large.limits) == (None, None, None, ())
    assert large.bandwidth_gbs.peak == pytest.approx(2039 / 2, rel=1e-3)
    assert small.bandwidth_gbs.peak == pytest.approx(2039 / 8, rel=1e-3)
    assert (large.cores, small.cores) == (42 * 64, 14 * 64)
    assert small.compute_tflops.fp16 == pytest.approx(312 * 14 / 108, rel=2e-3)
    assert (large.processes, small.processes) == ((DeviceProcess(41, 19000000000),), ())
    assert (large.architecture, large.memory_type, large.driver) == ("8.0", "HBM", "NVIDIA 580.65.06")
    assert large.unread == ("power: the driver measures that of nvidia0 as a whole only",)
    assert recognise(small) == small, "an instance is not the card of its name"


def test_an_engine_on_an_instance_is_served_by_it_alone(nvml: SimulatedNvml) -> None:
    devices = list(read(nvml, TWO))
    engine = Engine(engine="vLLM", url="http://127.0.0.1:8000", status="ok", pid=41, pids=(41,))
    assert [device.id for device in serving(engine, devices)] == ["nvidia0.0"]


def test_an_engine_in_a_container_is_served_by_the_instance_that_its_environment_names(nvml: SimulatedNvml) -> None:
    hidden = "error GetComputeRunningProcesses_v3 3\nerror GetGraphicsRunningProcesses_v3 3\n"
    state = TWO.replace("instance 0\n", f"instance 0\n{hidden}").replace("instance 1\n", f"instance 1\n{hidden}")
    devices = list(read(nvml, state.replace("compute 41 19000000000\n", "")))
    name = devices[2].uuid or ""
    engine = Engine(engine="vLLM", url="http://127.0.0.1:8000", status="ok", pids=(7,), visible_devices=(name,))
    assert [device.id for device in serving(engine, devices)] == ["nvidia0.1"]


@pytest.mark.parametrize(
    ("profile", "size_mib", "card_mib", "eighths"),
    [
        ("A100 1g.5gb", 4864, 40960, 1),
        ("A100 1g.10gb", 9856, 40960, 2),
        ("A100 2g.10gb", 9856, 40960, 2),
        ("A100 3g.20gb", 19968, 40960, 4),
        ("A100 7g.40gb", 40192, 40960, 8),
        ("A30 1g.6gb", 5952, 24576, 2),
        ("A30 4g.24gb", 24125, 24576, 8),
        ("H100 1g.10gb", 9984, 81559, 1),
        ("H100 3g.40gb", 40448, 81559, 4),
        ("H200 1g.18gb", 16384, 143771, 1),
        ("H200 1g.35gb", 33280, 143771, 2),
        ("RTX PRO 6000 1g.24gb", 24064, 97887, 2),
    ],
)
def test_the_size_of_a_profile_tells_its_memory_slices(
    profile: str, size_mib: int, card_mib: int, eighths: int
) -> None:
    part = bandwidth_part(Bandwidth(peak=800.0), size_mib << 20, card_mib << 20)
    assert part.peak == 100 * eighths, profile


def test_instances_come_and_go(nvml: SimulatedNvml) -> None:
    clock = Clock()
    nvml.write(A100)
    probe = NvidiaProbe(clock=clock)
    (bare,) = probe.read().devices
    assert "no instance has been made" in bare.remarks[0]
    nvml.write(TWO)
    clock.now += 11
    assert [device.id for device in probe.read().devices] == ["nvidia0", "nvidia0.0", "nvidia0.1"]
    nvml.write(A100)
    clock.now += 1
    _, gone, _ = probe.read().devices
    assert gone.memory_used_bytes is None
    clock.now += 1
    assert [device.id for device in probe.read().devices] == ["nvidia0"]
    nvml.write(A100.replace("mig 2", "mig 1"))
    clock.now += 61
    (whole,) = probe.read().devices
    assert (whole.remarks, whole.utilization) == ((), 0)


def test_compute_instances_of_one_gpu_instance_share_its_memory(nvml: SimulatedNvml) -> None:
    _, one, other = read(nvml, TWO.replace("gpu_instance 9", "gpu_instance 1"))
    words = ("shares memory and bandwidth with 1 more on GPU instance 1",)
    assert (one.remarks, other.remarks) == (words, words)


def test_what_an_instance_does_not_tell_is_unknown(nvml: SimulatedNvml) -> None:
    refused = "error GetAttributes_v2 4\nerror GetMemoryInfo 4\nerror GetName 4\nerror GetUUID 4\n"
    refused += "error GetComputeRunningProcesses_v3 4\nerror GetGraphicsRunningProcesses_v3 4\n"
    whole, part = read(nvml, f"{A100}instance 0\n{refused}")
    assert (part.id, part.name, part.uuid) == ("nvidia0.0", "NVIDIA A100-SXM4-80GB MIG", None)
    assert (part.memory_total_bytes, part.bandwidth_gbs.peak, part.compute_tflops.fp16, part.cores) == (None,) * 4
    assert (part.processes, whole.processes) == (None, None)


def test_a_lost_gpu_keeps_the_facts_of_its_instances(nvml: SimulatedNvml) -> None:
    nvml.write(TWO)
    probe = NvidiaProbe()
    probe.read()
    nvml.write(TWO.replace("mig 2", "mig 2\nerror * 15"))
    lost = probe.read().devices
    assert [device.id for device in lost] == ["nvidia0", "nvidia0.0", "nvidia0.1"]
    assert all("fell off the bus" in (device.problem or "") for device in lost)
    assert lost[1].memory_total_bytes == 42144366592
