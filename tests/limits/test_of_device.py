"""Which limits of which device are set: on machines as their files were found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.hardware.intel.probe import IntelProbe
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.hardware.power.rapl import Rapl
from llmtop.probes.limits.of_device import limits_of, may_set, why_not
from llmtop.probes.sample import Device, PowerLimit

from ..hardware.amd_machine import AmdMachine
from ..hardware.intel_kernel import Kernel, arc_a770, arc_b580
from ..hardware.recorded import Machine
from ..hardware.simulated import EVERYTHING, NOTHING, SimulatedNvml, process
from ..hardware.soc_box import Box


def cpu(machine: Machine) -> Device:
    rapl = Rapl(machine.root, machine.clock)
    rapl.read()
    return Device(id="cpu", name="Xeon", vendor="Intel", kind="cpu", limits=rapl.limits)


@pytest.mark.parametrize(("capabilities", "may"), [(EVERYTHING, True), (NOTHING, False)])
def test_nvidia(nvml: SimulatedNvml, tmp_path: Path, capabilities: str, *, may: bool) -> None:
    """Who may not set it still gets it: to read it, and for the command."""
    nvml.write("gpu 0\nname NVIDIA GeForce RTX 4090\nenforced 300000\n")
    device = NvidiaProbe(root=process(tmp_path, capabilities)).read().devices[0]
    (limit,) = limits_of(device)
    assert (limit.device, limit.min_w, limit.max_w, limit.default_w) == ("nvidia0", 150, 600, 450)
    assert limit.name == device.name
    assert (limit.address.kind, limit.address.at) == ("nvml", device.uuid)
    assert limit.write(300) == 300
    assert may_set(device) is may
    assert why_not(device) is None


def test_nvidia_laptop(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write(
        "gpu 0\nenforced 80000\nerror GetPowerManagementLimit 3\n"
        "error GetPowerManagementLimitConstraints 3\nerror GetPowerManagementDefaultLimit 3\n"
    )
    device = NvidiaProbe(root=process(tmp_path, EVERYTHING)).read().devices[0]
    assert limits_of(device) == ()
    assert may_set(device) is False
    assert "as in laptops" in (why_not(device) or "")


def test_nvidia_with_one_limit(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write("gpu 0\nlimit 70000\nlimit_min 70000\nlimit_max 70000\n")
    device = NvidiaProbe(root=process(tmp_path, EVERYTHING)).read().devices[0]
    assert limits_of(device) == ()
    assert "70 W is the only power limit" in (why_not(device) or "")


def test_a_part_of_a_gpu(nvml: SimulatedNvml, tmp_path: Path) -> None:
    nvml.write("gpu 0\nmig 2\ninstance 0\n")
    whole, part = NvidiaProbe(root=process(tmp_path, EVERYTHING)).read().devices
    assert len(limits_of(whole)) == 1
    assert limits_of(part) == ()
    assert (why_not(part) or "").endswith("is a part of nvidia0: the power limit is that of the whole")


@pytest.mark.parametrize(("name", "default_w", "max_w"), [("rx580", 155, 201), ("rx6900xt", 289, 332)])
def test_amd(tmp_path: Path, name: str, default_w: float, max_w: float) -> None:
    machine = AmdMachine(tmp_path, name)
    device = machine.read()
    (limit,) = limits_of(device, tmp_path)
    assert (limit.read(), limit.default_w, limit.max_w) == (default_w, default_w, max_w)
    assert limit.address.at.endswith("/hwmon/hwmon*/power1_cap")
    assert limit.write(150) == 150
    assert machine.read().power_limit_w == 150
    assert may_set(device) is True


def test_the_deck_has_two_and_the_long_term_one_is_set(tmp_path: Path) -> None:
    (limit,) = limits_of(AmdMachine(tmp_path, "vangogh").read(), tmp_path)
    assert limit.address.at.endswith("/power1_cap")


def test_amd_without_a_limit(tmp_path: Path) -> None:
    device = AmdMachine(tmp_path, "phoenix").read()
    assert limits_of(device, tmp_path) == ()
    assert "its driver has no power limit that can be set" in (why_not(device) or "")


@pytest.mark.parametrize(("name", "kernel"), [("a770-i915", arc_a770), ("b580-xe-6.17", arc_b580)])
def test_intel(tmp_path: Path, name: str, kernel: Callable[[], Kernel]) -> None:
    box = Box(tmp_path, f"intel/{name}")
    device = IntelProbe(root=box.root, clock=box.clock, ioctl=kernel()).read().devices[0]
    (limit,) = limits_of(device, tmp_path)
    assert Path(limit.address.at).parent.name == "hwmon*"
    assert limit.read() == device.power_limit_w
    assert limit.write(120) == 120


def test_both_packages_of_a_server(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "sapphire-rapids-2-sockets")
    limits = limits_of(cpu(machine), tmp_path)
    assert [limit.name for limit in limits] == ["Xeon package 0", "Xeon package 1"]
    assert [Path(limit.address.at).parent.name for limit in limits] == ["intel-rapl:0", "intel-rapl:2"]
    for limit in limits:
        assert limit.write(200) == 200
    assert [each.value_w for each in cpu(machine).limits if each.name.endswith("long term")][:2] == [200, 200]


def test_the_lower_one_of_a_laptop_that_has_two(tmp_path: Path) -> None:
    (limit,) = limits_of(cpu(Machine(tmp_path, "alder-lake-laptop")), tmp_path)
    assert limit.name == "Xeon"
    assert limit.address.at.endswith("intel-rapl-mmio:0/constraint_0_power_limit_uw")
    assert limit.read() == 15


def test_a_cpu_without(tmp_path: Path) -> None:
    device = cpu(Machine(tmp_path, "ryzen-desktop"))
    assert limits_of(device, tmp_path) == ()
    assert "RAPL" in (why_not(device) or "")


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (Device(id="apple0", name="M3 Max", vendor="Apple", kind="apple"), "macOS lets nobody set"),
        (
            Device(
                id="jetson0",
                name="Orin",
                vendor="NVIDIA",
                kind="gpu",
                limits=(PowerLimit(name="module, mode 30W", value_w=30, where="nvpmodel"),),
            ),
            "sudo nvpmodel -m NUMBER",
        ),
        (Device(id="amd0", name="RX", vendor="AMD", kind="gpu", problem="it is gone"), "it is gone"),
    ],
)
def test_where_nothing_can_be_set(device: Device, words: str) -> None:
    assert limits_of(device) == ()
    assert words in (why_not(device) or "")
    assert may_set(device) is False
