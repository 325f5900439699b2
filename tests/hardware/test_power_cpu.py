"""The power of the CPU from whatever this user may read."""

from pathlib import Path

import pytest
from llmtop.probes.hardware import CpuProbe
from llmtop.probes.hardware.power.cpu import CpuDraw, CpuPower
from llmtop.probes.sample import PowerLimit

from .recorded import Machine, forbidding, told

NOTHING = "power: this machine shows no energy counter"


def test_rapl(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    power = CpuPower(machine.root, machine.clock)
    first = power.read()
    assert (first.power_w, first.energy_j, first.unread) == (None, 0, ())
    machine.pass_time(1, z0=20, z0_2=2)
    found = power.read()
    assert (told(found), found.source) == ((22, 22), "RAPL")
    assert (found.power_limit_w, found.power_limit_default_w) == (200, 17)
    assert [limit.name for limit in found.limits] == ["package long term", "package short term"]


def test_device_has_it_all(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "alder-lake-laptop")
    probe = CpuProbe(root=machine.root, cache=tmp_path / "cache", clock=machine.clock)
    probe.read()
    machine.pass_time(1, z0=14)
    (device,) = probe.read().devices
    assert told(device) == (14, 14)
    assert (device.power_limit_w, device.power_limit_default_w, len(device.limits)) == (15, 28, 6)
    assert (device.unread, device.problem) == ((), None)


def test_device_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "ryzen-desktop")
    monkeypatch.setattr(Path, "read_text", forbidding("energy_uj"))
    (device,) = CpuProbe(root=machine.root, cache=tmp_path / "cache", clock=machine.clock).read().devices
    assert (told(device), device.problem, len(device.unread)) == ((None, None), None, 1)
    assert "sudo chmod a+r" in device.unread[0]


def test_forbidden_rapl_says_so_and_keeps_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    monkeypatch.setattr(Path, "read_text", forbidding("energy_uj"))
    power = CpuPower(machine.root, machine.clock)
    for _ in range(2):
        found = power.read()
        assert (found.power_w, found.energy_j, found.power_limit_w, len(found.unread)) == (None, None, 200, 1)
        assert "sudo chmod a+r" in found.unread[0]
        machine.now += 1


def amd_energy(machine: Machine, first_j: float, second_j: float) -> None:
    """Two sockets of three cores, as drivers/hwmon/amd_energy.c named them."""
    chip = "sys/class/hwmon/hwmon7"
    machine.put(f"{chip}/name", "amd_energy")
    for core in range(3):
        machine.put(f"{chip}/energy{core + 1}_label", f"Ecore{core:03}")
        machine.put(f"{chip}/energy{core + 1}_input", str(round(first_j * 9e6)))
    for number, joules in ((4, first_j), (5, second_j)):
        machine.put(f"{chip}/energy{number}_label", f"Esocket{number - 4}")
        machine.put(f"{chip}/energy{number}_input", str(round(joules * 1e6)))


def test_module_that_counts_for_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, "ryzen-desktop")
    amd_energy(machine, 1_000_000, 2_000_000)
    monkeypatch.setattr(Path, "read_text", forbidding("energy_uj"))
    power = CpuPower(machine.root, machine.clock)
    power.read()
    machine.now += 2
    amd_energy(machine, 1_000_200, 2_000_100)
    found = power.read()
    assert (told(found), found.source, found.unread) == ((150, 300), "amd_energy", ())


def test_grace(tmp_path: Path) -> None:
    """The whole socket, not its rails, and not the module with the GPU."""
    found = CpuPower(Machine(tmp_path, "grace").root).read()
    cap = tmp_path / "sys/class/hwmon/hwmon2/device/power1_cap"
    limit = PowerLimit(name="socket 0", value_w=300, min_w=100, max_w=330, writable=True, where=str(cap))
    assert found == CpuDraw(power_w=93.4, source="ACPI power meter", limits=(limit,), power_limit_w=300)


def test_grace_whose_firmware_names_the_rails_only(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "grace")
    machine.put("sys/class/hwmon/hwmon2/device/power1_oem_info", "")
    assert CpuPower(machine.root).read().power_w == pytest.approx(48.1 + 5.2)


def test_two_sockets_of_grace(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "grace")
    machine.put("sys/class/hwmon/hwmon9/name", "power_meter")
    machine.put("sys/class/hwmon/hwmon9/device/power1_oem_info", "Grace Power Socket 1")
    second = machine.put("sys/class/hwmon/hwmon9/device/power1_average", "80600000")
    power = CpuPower(machine.root)
    assert power.read().power_w == pytest.approx(174)
    second.unlink()
    assert power.read().power_w is None, "one of two is not the whole"


def test_altra(tmp_path: Path) -> None:
    found = CpuPower(Machine(tmp_path, "altra").root).read()
    assert found == CpuDraw(power_w=85.5, source="apm_xgene")


def test_virtual_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "cloud-vm")
    power = CpuPower(machine.root, machine.clock)
    for _ in range(3):
        assert power.read() == CpuDraw(unread=(f"{NOTHING} (virtual machine)",))
        machine.now += 40


@pytest.mark.parametrize(
    ("cpuinfo", "words"),
    [
        ("", NOTHING),
        ("processor : 0\nFeatures : fp asimd", NOTHING),
        (
            "vendor_id : AuthenticAMD\nflags : fpu sse2",
            f"{NOTHING}; sudo modprobe intel_rapl_msr brings it where the kernel has it",
        ),
    ],
)
def test_absence_is_said_once(tmp_path: Path, cpuinfo: str, words: str) -> None:
    machine = Machine(tmp_path)
    machine.put("proc/cpuinfo", cpuinfo)
    assert CpuPower(machine.root).read() == CpuDraw(unread=(words,))


def test_module_that_is_loaded_later(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    power = CpuPower(machine.root, machine.clock)
    assert power.read().unread
    found = Machine(tmp_path, "ryzen-desktop")
    machine.now += 1
    assert power.read().unread == ()
    found.now = machine.now
    machine.pass_time(1, z0=44)
    assert power.read().power_w == pytest.approx(44)
