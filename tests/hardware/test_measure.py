"""Numbers of the kernel that cannot be: beyond 64 bits, and beyond what a machine does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.files import read_measure, read_number
from llmtop.probes.hardware.intel.probe import IntelProbe
from llmtop.probes.hardware.jetson.probe import JetsonProbe
from llmtop.probes.hardware.soc.probe import SocProbe
from llmtop.probes.sample import Device, Devices

from . import intel_kernel
from .amd_machine import AmdMachine
from .soc_box import Box

NONSENSE = ["9" * 4000, "-5000000", "99999999999999999999", "18446744073709551615", "0x7fffffffffffffff", "-1", ""]


@pytest.mark.parametrize(
    ("text", "number"),
    [("9" * 4000, None), (str(1 << 64), None), (str((1 << 64) - 1), (1 << 64) - 1), ("-7", -7), ("0x10", 16)],
)
def test_a_number_is_one_of_64_bits(tmp_path: Path, text: str, number: int | None) -> None:
    (tmp_path / "file").write_text(text)
    assert read_number(tmp_path / "file") == number


@given(st.text(alphabet="-0123456789xabcdef_ \n", max_size=60))
def test_a_measure_lies_within_its_bounds(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "measure"
    file.write_text(text)
    measure = read_measure(file, 1e6, 3000.0)
    assert measure is None or 0 <= measure <= 3000


def intel(root: Path) -> tuple[Box, Callable[[], Devices]]:
    box = Box(root, "intel/b580-xe-6.17")
    return box, IntelProbe(root=root, clock=box.clock, ioctl=intel_kernel.arc_b580()).read


def jetson(root: Path) -> tuple[Box, Callable[[], Devices]]:
    box = Box(root, "jetson/orin-nano-super")
    return box, JetsonProbe(root=root, clock=box.clock).read


def soc(root: Path) -> tuple[Box, Callable[[], Devices]]:
    box = Box(root, "soc/rk3588-bsp")
    return box, SocProbe(root=root, clock=box.clock).read


def amd(root: Path) -> tuple[AmdMachine, Callable[[], Devices]]:
    machine = AmdMachine(root, "strixhalo")
    return machine, machine.probe().read


@pytest.mark.parametrize("text", NONSENSE)
@pytest.mark.parametrize("make", [amd, intel, jetson, soc])
def test_nonsense_in_every_number_is_told_by_no_card(
    tmp_path: Path, make: Callable[[Path], tuple[AmdMachine | Box, Callable[[], Devices]]], text: str
) -> None:
    machine, read = make(tmp_path)
    (before,) = read().devices
    numbers = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink() and _counts(file)]
    assert len(numbers) > 3
    for file in numbers:
        file.write_text(text)
    machine.now += 100
    (after,) = read().devices
    assert (after.id, after.name, after.problem in {None, _RESET}) == (before.id, before.name, True)
    _possible(after)


_RESET = "its sensors answer no more: it is being reset, or falling asleep"


def _counts(file: Path) -> bool:
    return file.read_bytes().strip().lstrip(b"-").isdigit() and file.name != "revision"


def _possible(device: Device) -> None:
    watts = [device.power_w, device.power_instant_w, device.power_limit_w, device.power_limit_max_w]
    watts += [each for limit in device.limits for each in (limit.value_w, limit.min_w, limit.max_w, limit.window_s)]
    assert all(each is None or 0 <= each <= 10_000 for each in watts)
    clocks = (device.sm_clock_mhz, device.memory_clock_mhz)
    assert all(each is None or 0 <= each <= 10_000 for each in clocks)
    degrees = (device.temperature_c, device.hotspot_c, device.memory_temperature_c)
    assert all(each is None or -50 <= each <= 200 for each in degrees)
    assert device.utilization is None or 0 <= device.utilization <= 1
    sizes = (device.memory_used_bytes, device.memory_total_bytes, device.carveout_bytes)
    assert all(each is None or 0 <= each <= 1 << 50 for each in sizes)
