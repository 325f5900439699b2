"""A simulated NVML for this process and for those that it starts; none of them may stay."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..hardware.conftest import build_nvml, install_nvml, nvml_library
from ..hardware.conftest import nvml as nvml_here
from ..hardware.simulated import SimulatedNvml
from .waiting import running, until

__all__ = ["build_nvml", "install_nvml", "nvml_here", "nvml_library"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where journals and locks lie; when the test has ended, so have all watchdogs of it."""
    path = tmp_path / "state"
    yield path
    until(lambda: not running(path), f"the end of {running(path)}")


@pytest.fixture
def nvml(nvml_here: SimulatedNvml, monkeypatch: pytest.MonkeyPatch) -> SimulatedNvml:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(nvml_here.library.parent))
    return nvml_here
