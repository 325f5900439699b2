"""A simulated NVML behind the real binding."""

import ctypes
import shutil
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest

from .simulated import SimulatedNvml, compile_nvml


@pytest.fixture(scope="session")
def build_nvml(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compiles the simulator, with definitions for the compiler, and returns the library."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")

    def build(*definitions: str) -> Path:
        return compile_nvml(compiler, tmp_path_factory.mktemp("nvml"), *definitions)

    return build


@pytest.fixture(scope="session")
def nvml_library(build_nvml: Callable[..., Path]) -> Path:
    return build_nvml()


@pytest.fixture(scope="session")
def old_nvml_library(build_nvml: Callable[..., Path]) -> Path:
    return build_nvml("-DOLD_DRIVER")


@pytest.fixture
def install_nvml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], SimulatedNvml]:
    """Puts a library where the binding keeps the one that it loaded, until the test ends."""

    def install(library: Path) -> SimulatedNvml:
        state = tmp_path / "nvml.txt"
        monkeypatch.setenv("NVML_SIM", str(state))
        monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(library)))
        monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
        return SimulatedNvml(library, state)

    return install


@pytest.fixture
def nvml(install_nvml: Callable[[Path], SimulatedNvml], nvml_library: Path) -> SimulatedNvml:
    return install_nvml(nvml_library)
