"""Thermal pressure of a Mac from a simulated notify(3); never seen by a Mac of this project."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from llmtop.probes.hardware.apple.thermal import ThermalPressure

from .apple_mac import FOLDER


@pytest.fixture(scope="session")
def notify_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("notify") / "notify.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, FOLDER / "notify_sim.c"], check=True)
    return library


def test_only_from_heavy_on_are_clocks_held_down(
    notify_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    level = tmp_path / "level"
    monkeypatch.setenv("NOTIFY_SIM", str(level))
    thermal = ThermalPressure(lambda: ctypes.CDLL(str(notify_library)))
    assert thermal.read() == (), "a state that cannot be read is no reason"
    said: list[tuple[str, ...]] = []
    for number in (0, 1, 2, 3, 4, 99, 1 << 40):
        level.write_text(str(number))
        said.append(thermal.read())
    assert said == [
        (),
        (),
        ("too hot (thermal pressure: heavy)",),
        ("too hot (thermal pressure: trapping)",),
        ("too hot (thermal pressure: sleeping)",),
        (),
        (),
    ]


def test_a_system_without_it_is_asked_for_nothing() -> None:
    def nowhere() -> ctypes.CDLL:
        raise OSError

    assert ThermalPressure(nowhere).read() == ()
    assert ThermalPressure(lambda: ctypes.CDLL(None)).read() == ()
