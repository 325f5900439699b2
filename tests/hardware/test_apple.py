"""A Mac's chip from commands' output that others recorded; nothing here was ever seen by a Mac of this project."""

import time
from collections.abc import Sequence
from threading import Event

import pytest
from llmtop.estimator.catalogue.recognise import recognise
from llmtop.probes.hardware.apple.chip import AppleChip
from llmtop.probes.hardware.apple.command import run
from llmtop.probes.hardware.apple.draw import AppleDraw
from llmtop.probes.hardware.apple.energy import Monitor
from llmtop.probes.hardware.apple.gpu import PACE_S
from llmtop.probes.hardware.apple.probe import AppleProbe

from .apple_mac import GIB, Mac, Told, only


@pytest.mark.parametrize(
    ("mac", "facts", "utilization"),
    [
        ("m1-pro", ("Apple M1 Pro", "M1", 16, None), 0.28),
        ("m2-pro", ("Apple M2 Pro", "M2", 16, "macOS 26.5.1"), 0.24),
        ("m3-ultra", ("Apple M3 Ultra", "M3", 80, "macOS 27.0"), 0.97),
        ("m4-max", ("Apple M4 Max", "M4", 40, None), 0.16),
        ("m5-pro", ("Apple M5 Pro", "M5", 16, "macOS 27.0"), 0.12),
    ],
)
def test_recorded_chips(mac: str, facts: tuple[str, str, int, str | None], utilization: float) -> None:
    device = only(Mac(mac).chip())
    assert (device.id, device.vendor, device.kind) == ("apple0", "Apple", "apple")
    assert (device.name, device.architecture, device.cores, device.driver) == facts
    assert device.utilization == pytest.approx(utilization)
    assert (device.memory_total_bytes, device.memory_used_bytes) == (64 * GIB, 24 * GIB)
    assert device.unified_memory is True
    assert (device.limits, device.power_limit_w, device.power_w) == ((), None, None)


@pytest.mark.parametrize(
    ("name", "cores", "gbs", "fp32"),
    [
        # GB/s as Apple sells them; cores x 128 FMA units x 2 x clock of philipturner/metal-benchmarks.
        ("Apple M1", 7, 68, 2.29),
        ("Apple M1", 8, 68, 2.62),
        ("Apple M1 Pro", 14, 200, 4.64),
        ("Apple M1 Pro", 16, 200, 5.31),
        ("Apple M1 Max", 24, 400, 7.96),
        ("Apple M1 Max", 32, 400, 10.62),
        ("Apple M1 Ultra", 48, 800, 15.93),
        ("Apple M2 Ultra", 60, 800, 21.47),
        ("Apple M2 Ultra", 76, 800, 27.2),
        ("Apple M3", 10, 100, 3.53),
        ("Apple M3 Max", 30, 300, 10.6),
        ("Apple M3 Max", 40, 400, 14.13),
        ("Apple M3 Ultra", 60, 819, 21.2),
        ("Apple M3 Ultra", 80, 819, 28.26),
        ("Apple M4", 10, 120, 4.04),
        ("Apple M4 Pro", 16, 273, 6.47),
        ("Apple M4 Pro", 20, 273, 8.09),
        ("Apple M4 Max", 32, 410, 12.94),
        ("Apple M4 Max", 40, 546, 16.18),
        ("Apple M5", 10, 153, 4.15),
        ("Apple M5 Pro", 16, 307, 6.64),
        ("Apple M5 Max", 40, 614, 16.59),
    ],
)
def test_the_catalogue_knows_a_chip_by_its_name_and_gpu_cores(name: str, cores: int, gbs: float, fp32: float) -> None:
    mac = Mac("m4-max")
    mac.facts["sysctl"]["machdep.cpu.brand_string"] = name
    mac.facts["ioreg"] |= {"model": name, "gpu-core-count": str(cores)}
    known = recognise(only(mac.chip()))
    assert known.bandwidth_gbs.peak == gbs
    assert known.compute_tflops.fp32 == pytest.approx(fp32)
    assert known.bandwidth_gbs.basis == f"catalogue: {name} {cores}c, matched by name"


def test_a_virtual_machine_has_neither_gpu_cores_nor_power_and_says_so() -> None:
    def load() -> Monitor:
        raise AssertionError("the library takes the process down with it there")

    mac = Mac("m1-virtual")
    chip = AppleChip(run=mac.run, load=load, memory=lambda: (7 * GIB, 2 * GIB), clock=mac.clock)
    device = only(chip)
    assert (device.name, device.cores, device.utilization, device.power_w) == ("Apple M1 (Virtual)", None, None, None)
    assert device.unread == ("power: macOS tells it to no virtual machine",)
    assert recognise(device).bandwidth_gbs.peak is None, "it may be a part of any chip"
    for _ in range(20):
        mac.now += 1
        chip.read()
    assert mac.asked.count("sysctl") == 1


@pytest.mark.parametrize(
    ("key", "value"), [("kern.hv_vmm_present", "0"), ("machdep.cpu.brand_string", "Apple M1"), ("ioreg", "")]
)
def test_either_sign_of_a_virtual_machine_will_do(key: str, value: str) -> None:
    mac = Mac("m1-virtual", key)
    mac.facts["sysctl"][key] = value
    assert only(mac.chip()).unread == ("power: macOS tells it to no virtual machine",)


def test_a_process_under_rosetta_takes_the_name_from_the_driver() -> None:
    mac = Mac("m2-pro")
    mac.facts["sysctl"]["machdep.cpu.brand_string"] = "VirtualApple @ 2.50GHz"
    assert only(mac.chip()).name == "Apple M2 Pro"
    assert len(AppleProbe.detect("darwin", "x86_64", mac.run)) == 1


def test_nothing_is_there_but_on_apple_silicon() -> None:
    intel = Mac("intel")
    assert AppleProbe.detect("darwin", "x86_64", intel.run) == []
    assert AppleProbe.detect("linux", "arm64", intel.run) == []
    assert AppleProbe.detect("linux", "aarch64", intel.run) == []
    assert intel.asked == ["sysctl"]
    assert len(AppleProbe.detect("darwin", "arm64", intel.run)) == 1
    assert intel.asked == ["sysctl"], "an arm64 Python runs on nothing else"


def test_missing_commands_leave_what_is_known_and_are_asked_again_in_peace() -> None:
    mac = Mac("m4-max", "sysctl", "ioreg", "pmset")
    chip = mac.chip(None)
    bare = only(chip)
    assert (bare.name, bare.cores, bare.utilization, bare.architecture) == ("Apple silicon", None, None, None)
    assert bare.unread == ("power: /usr/sbin/sysctl tells nothing of the chip",), "so the library is not loaded"
    mac.without.clear()
    assert only(chip).name == "Apple silicon"
    assert mac.asked.count("sysctl") == 1
    mac.now += PACE_S
    met = only(chip)
    assert (met.name, met.cores, met.utilization) == ("Apple M4 Max", 40, 0.16)
    mac.without.add("ioreg")
    mac.now += PACE_S
    gone = only(chip)
    assert (gone.cores, gone.utilization) == (40, None)


def test_processes_are_started_now_and_then_only() -> None:
    mac = Mac("m4-max")
    chip = mac.chip()
    for _ in range(60):
        chip.read()
        mac.now += 1
    assert {name: mac.asked.count(name) for name in mac.asked} == {"sysctl": 1, "ioreg": 12, "pmset": 1}


def test_the_driver_is_left_alone_where_the_source_of_power_tells_how_busy_the_gpu_is() -> None:
    mac = Mac("m4-max")
    chip = mac.chip(None, Told(None, AppleDraw(power_w=41.5, utilization=0.93, clock_mhz=1578.0, temperature_c=61.0)))
    for _ in range(60):
        chip.read()
        mac.now += 1
    device = only(chip)
    assert (device.power_w, device.utilization, device.sm_clock_mhz, device.temperature_c) == (41.5, 0.93, 1578, 61)
    assert mac.asked.count("ioreg") == 1


def test_what_its_owner_should_know() -> None:
    mac = Mac("m4-max")
    assert only(mac.chip()).remarks == ("the GPU may have 57.6 GiB of the memory: iogpu.wired_limit_mb is set",)
    mac = Mac("m2-pro")
    assert only(mac.chip()).remarks == ()
    mac.power_mode = " lowpowermode         1\n"
    low = only(mac.chip(None, Told(None, AppleDraw(power_w=9.0, memory=False))))
    assert low.remarks == (
        "Low Power Mode is on: it lowers the clocks until System Settings turn it off",
        "its power is without that of the memory",
    )


@pytest.mark.parametrize(
    ("text", "low"),
    [
        (" powermode            0\n", False),
        (" powermode            1\n", True),
        (" powermode            2\n", False),  # High Power Mode
        (" lowpowermode         1\n", True),  # before macOS 15
        (" lowpowermode         1\n powermode            0\n", False),
        (" powermode            High\n", False),
        ("", False),
    ],
)
def test_power_modes(text: str, low: bool) -> None:
    mac = Mac("m2-pro")
    mac.power_mode = text
    assert any("Low Power" in remark for remark in only(mac.chip()).remarks) is low


def test_a_command_that_hangs_delays_one_reading_by_the_patience_and_no_other() -> None:
    mac, gate = Mac("m4-max"), Event()
    gate.set()

    def hang(command: Sequence[str]) -> bytes:
        gate.wait(10)
        return mac.run(command)

    chip = AppleChip(run=hang, load=_missing, memory=lambda: (64 * GIB, 1), clock=mac.clock)
    probe = AppleProbe(chip=chip, patience_s=0.2)
    assert probe.read().devices[0].utilization == 0.16
    gate.clear()
    mac.now += 2 * PACE_S
    began = time.monotonic()
    (late,) = probe.read().devices
    assert 0.19 < time.monotonic() - began < 0.6
    assert (late.name, late.cores, late.utilization) == ("Apple M4 Max", 40, None)
    assert late.problem == "its driver does not answer"
    began = time.monotonic()
    for _ in range(10):
        probe.read()
    assert time.monotonic() - began < 0.1
    gate.set()


def test_the_real_commands_are_missing_here_or_tell_the_truth() -> None:
    assert run(["/usr/sbin/no-such-command-of-macos"]) == b""
    assert run(["/bin/echo", "told"]) == b"told\n"
    assert run(["/bin/sh", "-c", "echo part; exit 1"]) == b"part\n"


def _missing() -> Monitor:
    raise ImportError
