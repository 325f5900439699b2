"""`llmtop probe --measure` beside somebody's work, with a simulated GPU driver."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest
from llmtop.probes.hardware.measured.device_measurement import DeviceMeasurements

from .cuda_driver import DIGITS, UUIDS, Driver, build, driver, library

__all__ = ["build", "driver", "library"]


@pytest.fixture
def others() -> "Generator[None]":
    """Processes that keep more than one processor busy, and one in twenty."""
    count = max(2, (psutil.cpu_count() or 1) // 10)
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    yield
    for process in started:
        process.kill()
        process.wait()


def llmtop(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "llmtop", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.usefixtures("others")
def test_what_is_in_use_is_left_alone_and_said(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    driver.write(f"device {DIGITS[0]}\ngbs 900\ndevice {DIGITS[1]}\ncompute {os.getpid()}\n")
    done = llmtop("probe", "--measure", "--json")
    memory, second = done.stderr.splitlines()
    assert memory.startswith("llmtop: the main memory is not measured: other work takes ")
    assert "python" in memory
    assert memory.endswith("; wait until it is done, or add --force to measure beside it")
    assert second.startswith("llmtop: nvidia1 (NVIDIA X1) is not measured: in use by ")
    assert f"(pid {os.getpid()})" in second
    assert done.returncode == 1
    assert json.loads(done.stdout)["schema"] == 1
    first = DeviceMeasurements().read(UUIDS[0])
    assert first is not None
    assert (first.name, round(first.copy_gbs)) == ("NVIDIA X0", 900)
    assert DeviceMeasurements().read(UUIDS[1]) is None


def test_force_alone_is_wrong_usage() -> None:
    done = llmtop("probe", "--force")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "llmtop: --force goes with --measure\n")
