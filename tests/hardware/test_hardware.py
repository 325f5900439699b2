"""The folder as a whole: every probe is in the tuple, and importing it is cheap."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import llmtop.probes.hardware as package
import pytest
from llmtop.probes.hardware import (
    HARDWARE,
    AmdProbe,
    CpuProbe,
    HostProbe,
    IntelProbe,
    JetsonProbe,
    SocProbe,
    UnservedProbe,
    detect,
)

SOURCE = Path(__file__).parents[2] / ".src"


def test_every_probe_is_in_the_tuple() -> None:
    found: set[type] = set()
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        classes = inspect.getmembers(import_module(module.name), inspect.isclass)
        found |= {kind for name, kind in classes if kind.__module__ == module.name and name.endswith("Probe")}
    assert {kind.__name__ for kind in found} - {"HardwareProbe"} == {kind.__name__ for kind in HARDWARE}
    assert len({kind.name for kind in HARDWARE}) == len(HARDWARE)


def test_detect_sets_the_period() -> None:
    probes = detect(2.5)
    assert {probe.name for probe in probes} >= {"host", "cpu"}
    assert {probe.period for probe in probes} == {2.5}


def test_importing_loads_nothing_heavy() -> None:
    program = (
        "import sys, llmtop.probes.hardware, llmtop.probes.hardware.measured.bandwidth\n"
        "print(*{'pynvml', 'numpy', 'cpuinfo', 'platformdirs'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SOURCE)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == ""


LOCKED = ("sys/class/drm", "sys/class", "sys/devices/platform", "sys/bus/pci/devices", "proc")


@pytest.mark.parametrize("locked", LOCKED)
def test_a_folder_that_nobody_may_look_into_is_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str
) -> None:
    """As root may look everywhere, the refusal is made where Python asks the system."""
    (tmp_path / locked).mkdir(parents=True)
    inside = f"{tmp_path / locked}/"

    def refusing(call: Callable[..., object]) -> Callable[..., object]:
        def asked(path: object = ".", *rest: object, **more: object) -> object:
            if f"{path}/".startswith(inside) and f"{path}/" != inside:
                raise PermissionError(13, "Permission denied", str(path))
            return call(path, *rest, **more)

        return asked

    monkeypatch.setattr(os, "stat", refusing(os.stat))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    with pytest.raises(PermissionError):
        (tmp_path / locked / "anything").exists()
    for kind in (AmdProbe, IntelProbe, JetsonProbe, SocProbe, UnservedProbe):
        for probe in kind.detect(tmp_path):
            probe.read()
    assert CpuProbe(root=tmp_path).read().devices[0].id == "cpu"
    HostProbe(root=tmp_path).read()
