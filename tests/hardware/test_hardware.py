"""The folder as a whole: every probe is in the tuple, and importing it is cheap."""

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import llmtop.probes.hardware as package
from llmtop.probes.hardware import HARDWARE, detect

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
