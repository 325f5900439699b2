"""The memory of NVIDIA GPUs: their own and the host's, with ECC and without."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.jetson.board import JetsonBoard
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Device

from .simulated import SimulatedNvml
from .soc_box import Box

SPARK = """
name NVIDIA GB10
cc_major 12
cc_minor 1
cores 6144
power 11170
sm_clock_max 2418
error GetMemoryInfo 3
error GetMemoryInfo_v2 3
error GetPowerManagementLimit 3
error GetPowerManagementLimitConstraints 3
error GetPowerManagementDefaultLimit 3
error GetEnforcedPowerLimit 3
error GetMemoryBusWidth 3
error GetEccMode 3
compute 41 45097156
"""
"""As XuehaiPan/nvitop pull request 208 and snowflakedb/ArcticTraining pull request 345 found it, driver 580."""


def read(nvml: SimulatedNvml, text: str, root: Path) -> Device:
    nvml.write(f"gpu 0\n{text}")
    return NvidiaProbe(root=root).read().devices[0]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:       127600748 kB\nMemAvailable:   118566368 kB\n")
    return tmp_path


def test_a_gb10_has_the_memory_of_its_host(nvml: SimulatedNvml, host: Path) -> None:
    device = read(nvml, SPARK, host)
    assert device.unified_memory is True
    assert device.memory_total_bytes == 127600748 * 1024
    assert device.memory_used_bytes == 45097156, "what its processes hold; the rest is the host's"
    assert (device.memory_type, device.bandwidth_gbs.peak, device.pcie) == ("LPDDR", None, None)
    assert (device.power_w, device.power_limit_w, device.limits, device.ecc) == (11.17, None, (), None)
    assert device.problem is None
    assert device.processes
    assert device.processes[0].pid == 41


def test_on_a_thor_the_board_tells_what_nvml_does_not(nvml: SimulatedNvml, tmp_path: Path) -> None:
    box = Box(tmp_path, "jetson/agx-thor")
    assert len(NvidiaProbe.detect(box.root)) <= 1
    board = JetsonBoard.find(box.root)
    assert board
    alone = board.complete(Device(id="nvidia0", name="NVIDIA Thor", vendor="NVIDIA", kind="gpu"))
    state = SPARK.replace("name NVIDIA GB10\ncc_major 12\ncc_minor 1", "name NVIDIA Thor\ncc_major 11\ncc_minor 0")
    refused = "error GetPowerUsage 3\nerror GetTemperature 3\nerror GetTemperatureV 3\n"
    device = read(nvml, state.replace("power 11170\n", refused), box.root)
    assert (device.name, device.memory_total_bytes) == ("NVIDIA Thor", alone.memory_total_bytes)
    assert (device.power_w, device.temperature_c) == (alone.power_w, alone.temperature_c)
    assert device.limits == alone.limits
    assert sum(sentence.startswith("power") for sentence in device.unread) == (alone.power_w is None)


def test_an_orin_is_left_to_the_files_of_its_driver(tmp_path: Path) -> None:
    assert NvidiaProbe.detect(Box(tmp_path, "jetson/agx-orin").root) == []


@pytest.mark.parametrize(("part", "major", "minor"), [("Thor", 11, 0), ("Orin (nvgpu)", 8, 7), ("Xavier", 7, 2)])
def test_so_have_the_parts_of_jetson(nvml: SimulatedNvml, host: Path, part: str, major: int, minor: int) -> None:
    device = read(nvml, f"name {part}\ncc_major {major}\ncc_minor {minor}\n", host)
    assert (device.unified_memory, device.memory_total_bytes) == (True, 127600748 * 1024)


def test_grace_hopper_has_its_own(nvml: SimulatedNvml, host: Path) -> None:
    state = "name NVIDIA GH200 480GB\ncc_major 9\ncc_minor 0\nmemory_total 102005473280\nbus_width 6144\n"
    device = read(nvml, state, host)
    assert (device.unified_memory, device.memory_total_bytes) == (False, 102005473280)
    assert device.memory_type == "HBM"


def test_a_card_that_keeps_its_memory_secret_has_none_that_is_known(nvml: SimulatedNvml, host: Path) -> None:
    device = read(nvml, "error GetMemoryInfo 3\n", host)
    assert (device.unified_memory, device.memory_total_bytes, device.memory_used_bytes) == (False, None, None)


@pytest.mark.parametrize(
    ("card", "mode", "bus_bits", "ecc", "costs"),
    [
        ("RTX 6000 Ada, GDDR6", 2, 384, True, True),
        ("RTX 6000 Ada, GDDR6", 1, 384, False, False),
        ("H100, HBM3", 2, 5120, True, False),
        ("RTX 4090", 0, 384, None, False),
    ],
)
def test_ecc_costs_where_the_check_bits_lie_in_the_memory(
    nvml: SimulatedNvml, host: Path, card: str, mode: int, bus_bits: int, *, ecc: bool | None, costs: bool
) -> None:
    device = read(nvml, f"name {card}\necc {mode}\nbus_width {bus_bits}\n", host)
    assert device.ecc is ecc
    assert any("ECC is on" in remark for remark in device.remarks) == costs
    assert device.bandwidth_gbs.peak == pytest.approx(10501 * 2 * bus_bits / 8000), "on paper it stays what it was"
