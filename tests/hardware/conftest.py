"""A simulated NVML behind the real binding."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest

from .simulated import SimulatedNvml

SOURCE = Path(__file__).with_name("nvml_sim.c")


@pytest.fixture(scope="session")
def build_nvml(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compiles the simulator, with definitions for the compiler, and returns the library."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")

    def build(*definitions: str) -> Path:
        library = tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1"
        flags = ["-O1", "-shared", "-fPIC", "-pthread", f"-Wl,-soname,{library.name}"]
        subprocess.run([compiler, *flags, *definitions, "-o", library, SOURCE], check=True)
        return library

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
