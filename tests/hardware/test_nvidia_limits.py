"""Power limits of NVIDIA GPUs: of boards, of laptops, and who may change them."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.nvidia.limits import administrator
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Device, PowerLimit

from .simulated import EVERYTHING, NOTHING, Clock, SimulatedNvml, process

CONTAINER = "00000000a80425fb"
"""What docker leaves its root by default: no CAP_SYS_ADMIN."""


def read(nvml: SimulatedNvml, text: str, root: Path) -> Device:
    nvml.write(f"gpu 0\n{text}")
    return NvidiaProbe(root=root).read().devices[0]


@pytest.mark.parametrize(
    ("capabilities", "kernel", "may"),
    [
        (EVERYTHING, "6.8.0-60-generic", True),
        (CONTAINER, "6.8.0-60-generic", False),
        (NOTHING, "6.8.0-60-generic", False),
        (EVERYTHING, "5.15.167.4-microsoft-standard-WSL2", None),
    ],
)
def test_root_may_set_it_and_that_of_a_container_may_not(
    nvml: SimulatedNvml, tmp_path: Path, capabilities: str, kernel: str, *, may: bool | None
) -> None:
    device = read(nvml, "limit 350000\n", process(tmp_path, capabilities, kernel))
    board = PowerLimit(name="board", value_w=350, min_w=150, max_w=600, default_w=450, writable=may, where="NVML")
    assert device.limits == (board,)
    assert administrator(tmp_path) is may


def test_a_laptop_has_the_limit_that_its_firmware_enforces(nvml: SimulatedNvml, tmp_path: Path) -> None:
    state = (
        "name NVIDIA GeForce RTX 4090 Laptop GPU\nenforced 80000\nerror GetPowerManagementLimit 3\n"
        "error GetPowerManagementLimitConstraints 3\nerror GetPowerManagementDefaultLimit 3\n"
    )
    device = read(nvml, state, process(tmp_path, EVERYTHING))
    assert device.limits == (PowerLimit(name="board", value_w=80, writable=False, where="NVML"),)
    assert (device.power_limit_w, device.power_limit_max_w) == (80, None)


def test_what_the_driver_holds_below_the_set_limit_is_a_second_one(nvml: SimulatedNvml, tmp_path: Path) -> None:
    device = read(nvml, "limit 150000\nenforced 115000\n", process(tmp_path, EVERYTHING))
    board, enforced = device.limits
    assert (board.name, board.value_w, device.power_limit_w) == ("board", 150, 150)
    assert enforced == PowerLimit(name="enforced by the driver", value_w=115, writable=False, where="NVML")


def test_a_limit_that_cannot_be_moved_is_not_writable(nvml: SimulatedNvml, tmp_path: Path) -> None:
    device = read(nvml, "limit 70000\nlimit_min 70000\nlimit_max 70000\n", process(tmp_path, EVERYTHING))
    assert device.limits[0].writable is False


def test_nothing_known_is_no_limit(nvml: SimulatedNvml, tmp_path: Path) -> None:
    refused = "".join(
        f"error {name} 3\n"
        for name in (
            "GetPowerManagementLimit",
            "GetPowerManagementLimitConstraints",
            "GetPowerManagementDefaultLimit",
            "GetEnforcedPowerLimit",
        )
    )
    assert read(nvml, refused, tmp_path).limits == ()


def test_the_set_limit_is_seen_at_once_and_the_range_seldom(nvml: SimulatedNvml, tmp_path: Path) -> None:
    clock = Clock()
    nvml.write("gpu 0\n")
    probe = NvidiaProbe(root=process(tmp_path, EVERYTHING), clock=clock)
    assert probe.read().devices[0].power_limit_w == 450
    nvml.write("gpu 0\nlimit 300000\nlimit_max 500000\n")
    device = probe.read().devices[0]
    assert (device.power_limit_w, device.power_limit_max_w) == (300, 600)
    clock.now += 61
    assert probe.read().devices[0].power_limit_max_w == 500


@pytest.mark.parametrize("garbage", ["CapEff:\n", "CapEff:\tmany\n", "\0\xff"])
def test_without_proc_the_user_decides_and_with_garbage_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, garbage: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (process(tmp_path, NOTHING) / "proc/self/status").write_text(garbage)
    assert administrator(tmp_path) is False


def test_without_proc_the_user_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert administrator(tmp_path) is True
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert administrator(tmp_path) is False
