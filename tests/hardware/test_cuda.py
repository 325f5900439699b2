"""Copies inside a GPU's memory, by the real child process with a simulated driver library."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from llmtop.probes.hardware.measured import cuda_bandwidth
from llmtop.probes.hardware.measured.cuda_bandwidth import measure_gpu
from llmtop.probes.sample import Device
from msgspec.structs import replace

from .cuda_driver import DIGITS, UUIDS, Driver, build, driver, library

__all__ = ["build", "driver", "library"]

GIB = 1 << 30


def gpu(uuid: str | None = UUIDS[0]) -> Device:
    return Device(id="nvidia0", name="NVIDIA X", vendor="NVIDIA", kind="gpu", uuid=uuid)


@pytest.mark.parametrize("gbs", [48.0, 1008.0, 3352.0, 8000.0])
def test_measures_what_the_device_does(driver: Driver, gbs: float) -> None:
    driver.write(f"device {DIGITS[0]}\ngbs {gbs}\n")
    outcome = measure_gpu(gpu())
    assert outcome.problem is None
    assert outcome.measurement is not None
    assert outcome.measurement.copy_gbs == pytest.approx(gbs, rel=1e-3)
    assert outcome.measurement.spread < 1e-3
    assert outcome.measurement.uuid == UUIDS[0]
    assert outcome.measurement.name == "NVIDIA X"
    assert outcome.measurement.driver == "CUDA 12.8"
    assert outcome.measurement.buffer_bytes == 2 * GIB
    assert [value for name, value in driver.asked() if name == "alloc"] == [GIB, GIB]
    assert driver.gave_all_back()


def test_a_gpu_that_rested_is_measured_when_its_clocks_are_up(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\ngbs 1000\nslow 0.3 10\n")
    measurement = measure_gpu(gpu()).measurement
    assert measurement is not None
    assert measurement.copy_gbs == pytest.approx(1000, rel=1e-3)
    assert measurement.spread < 1e-3


def test_a_very_slow_gpu_takes_no_longer(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\ngbs 5\nreal 1\n")
    began = time.monotonic()
    measurement = measure_gpu(gpu()).measurement
    assert measurement is not None
    assert measurement.copy_gbs == pytest.approx(5, rel=1e-3)
    assert measurement.seconds < 3.5
    assert time.monotonic() - began < 6


def test_a_restless_gpu_is_told_by_its_spread(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\nwobble 50\n")
    measurement = measure_gpu(gpu()).measurement
    assert measurement is not None
    assert measurement.copy_gbs == pytest.approx(1000, rel=1e-3), "the best window"
    assert measurement.spread == pytest.approx(1 / 3, rel=0.02)
    assert measurement.restless


def test_two_devices_are_told_apart_by_their_names(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\ngbs 500\ndevice {DIGITS[1]}\ngbs 900\n")
    found = [measure_gpu(gpu(uuid)).measurement for uuid in UUIDS]
    assert [round(each.copy_gbs) for each in found if each] == [500, 900]


def test_what_the_user_hides_is_left_alone(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.write(f"device {DIGITS[0]}\ndevice {DIGITS[1]}\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert measure_gpu(gpu(UUIDS[1])).measurement is not None
    hidden = "CUDA does not show it to this process; CUDA_VISIBLE_DEVICES is set to '1'"
    assert measure_gpu(gpu(UUIDS[0])).problem == hidden


def test_takes_a_quarter_of_what_is_free(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\nfree {4 * GIB}\n")
    measurement = measure_gpu(gpu()).measurement
    assert measurement is not None
    assert measurement.buffer_bytes == GIB


def test_takes_less_when_less_can_be_had(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\nmost {int(1.2 * GIB)}\n")
    measurement = measure_gpu(gpu()).measurement
    assert measurement is not None
    assert measurement.buffer_bytes == GIB
    assert driver.gave_all_back()


@pytest.mark.parametrize("memory", [f"free {GIB}", f"most {GIB // 8}"])
def test_a_full_gpu_is_one_line(driver: Driver, memory: str) -> None:
    driver.write(f"device {DIGITS[0]}\n{memory}\n")
    outcome = measure_gpu(gpu())
    assert outcome.measurement is None
    assert "the measurement needs 2048 MiB of free memory" in (outcome.problem or ""), "8 x 4 x 64 MiB of cache"
    assert driver.gave_all_back()


FUNCTIONS = [
    *("cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetUuid", "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain"),
    *("cuCtxSetCurrent", "cuMemGetInfo", "cuMemAlloc", "cuMemsetD32", "cuStreamCreate", "cuEventCreate"),
    *("cuEventRecord", "cuMemcpyDtoDAsync", "cuEventSynchronize", "cuEventElapsedTime", "cuDriverGetVersion"),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_failing_function_is_one_line_and_leaves_nothing(driver: Driver, function: str, skip: int) -> None:
    driver.write(f"device {DIGITS[0]}\nerror {function} 999 {skip}\n")
    outcome = measure_gpu(gpu())
    if skip and outcome.measurement:
        assert function not in {"cuMemAlloc", "cuEventCreate", "cuMemcpyDtoDAsync"}, "they are called more than once"
    else:
        assert outcome.problem is not None
        assert outcome.problem.startswith(f"the CUDA driver failed ({function}")
        assert outcome.problem.endswith(": CUDA_ERROR_UNKNOWN)")
    assert driver.gave_all_back()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("", "CUDA sees no GPU (cuInit: CUDA_ERROR_NO_DEVICE)"),
        ("error cuInit 803\n", "reboot (cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)"),
        (f"device {DIGITS[0]}\nerror cuDevicePrimaryCtxRetain 46\n", "another process has it for itself"),
        (f"device {DIGITS[0]}\nerror cuDevicePrimaryCtxRetain 2\n", "its memory is taken; free some"),
        (f"device {DIGITS[0]}\nerror cuEventSynchronize 12345\n", "(cuEventSynchronize: error 12345)"),
        (f"device {DIGITS[0]}\nerror cuMemFree 700\n", ""),
        (f"device {DIGITS[1]}\n", "CUDA sees no GPU"),
        (f"device {DIGITS[0]}\ncrash cuMemcpyDtoDAsync\n", "the driver ended the measurement with signal 11"),
    ],
)
def test_trouble_is_one_line(driver: Driver, state: str, words: str) -> None:
    driver.write(state)
    outcome = measure_gpu(gpu())
    assert words in (outcome.problem or "")
    assert "\n" not in (outcome.problem or "")
    assert (outcome.measurement is None) == bool(words)


@pytest.mark.parametrize("function", ["cuInit", "cuEventSynchronize"])
def test_a_driver_that_hangs_is_waited_for_so_long(driver: Driver, function: str) -> None:
    driver.write(f"device {DIGITS[0]}\nhang {function}\n")
    began = time.monotonic()
    assert measure_gpu(gpu(), patience_s=2).problem == "its driver did not answer within 2 s"
    assert time.monotonic() - began < 6


def test_a_child_ends_by_itself_when_nobody_waits(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\nhang cuInit\n")
    command = [sys.executable, "-P", "-m", "llmtop.probes.hardware.measured.cuda_child", UUIDS[0], "1"]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, b"")


def test_no_library_is_one_line(driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver.write("")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    assert measure_gpu(gpu()).problem == "the driver's CUDA library is not installed (libcuda.so.1)"


def test_an_old_driver_has_the_old_name_of_the_uuid(
    driver: Driver, build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.write(f"device {DIGITS[0]}\n")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(build("-DOLD_DRIVER")))
    assert measure_gpu(gpu()).measurement is not None


def test_refuses_beside_an_engine_that_holds_it_unless_forced(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\ncompute {os.getpid()}\ncompute 4194305\ncompute 4194306\n")
    outcome = measure_gpu(gpu())
    assert outcome.occupied
    assert outcome.measurement is None
    assert f"(pid {os.getpid()}), pid 4194305 and 1 more" in (outcome.problem or "")
    assert driver.asked() == []
    assert measure_gpu(gpu(), force=True).measurement is not None


@pytest.mark.parametrize(
    ("busy", "words"),
    [
        (replace(gpu(), utilization=0.97), "97% busy"),
        (replace(gpu(), utilization=0.05), None),
        (
            replace(gpu(), memory_total_bytes=48 * GIB, memory_used_bytes=41 * GIB),
            "41 of 48 GiB of its memory are taken",
        ),
        (replace(gpu(), memory_total_bytes=48 * GIB, memory_used_bytes=2 * GIB), None),
    ],
)
def test_refuses_a_busy_gpu_unless_forced(driver: Driver, busy: Device, words: str | None) -> None:
    driver.write(f"device {DIGITS[0]}\n")
    outcome = measure_gpu(busy)
    assert (outcome.problem, outcome.occupied) == (words, words is not None)
    assert measure_gpu(busy, force=True).measurement is not None


def test_what_cannot_be_asked_for_is_not(driver: Driver) -> None:
    driver.write(f"device {DIGITS[0]}\n")
    assert measure_gpu(replace(gpu(), problem="GPU is lost")).problem == "GPU is lost"
    assert "UUID" in (measure_gpu(gpu(uuid=None)).problem or "")
    assert driver.asked() == []


def test_a_folder_with_a_package_of_our_name_is_not_looked_into(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.write(f"device {DIGITS[0]}\n")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('wrong one')")
    monkeypatch.chdir(tmp_path)
    assert measure_gpu(gpu()).measurement is not None


def test_shared_out_gpus_are_measured_by_their_instances() -> None:
    whole = Device(id="nvidia0", name="A100", vendor="NVIDIA", kind="gpu", uuid=UUIDS[0])
    part = Device(id="nvidia0/1", name="A100 1g", vendor="NVIDIA", kind="gpu", parent="nvidia0", uuid="MIG-1")
    other = Device(id="nvidia1", name="A100", vendor="NVIDIA", kind="gpu", uuid=UUIDS[1])
    assert cuda_bandwidth.measurable([whole, part, other]) == [part, other]
