"""The machine itself."""

from pathlib import Path

import psutil
from llmtop.probes.hardware import HostProbe

from .recorded import Machine, told


def test_plain_machine_says_nothing_of_power(tmp_path: Path) -> None:
    found = HostProbe(root=tmp_path).read()
    assert found.memory_total_bytes == psutil.virtual_memory().total
    assert (found.power_w, found.power_source, found.energy_j) == (None, None, None)


def test_laptop_on_its_battery(tmp_path: Path) -> None:
    found = HostProbe(root=Machine(tmp_path, "thinkpad-battery").root).read()
    assert (found.power_w, found.power_source, found.energy_j) == (19.195, "battery", None)


def test_laptop_that_counts_its_platform(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "kaby-lake-laptop")
    probe = HostProbe(root=machine.root, clock=machine.clock)
    assert told(probe.read()) == (None, None)
    machine.pass_time(1, z0=12, z0_2=2, z1=30)
    assert told(probe.read()) == (30, 30)
    machine.pass_time(1, z0=12, z0_2=2, z1=50)
    found = probe.read()
    assert (told(found), found.power_source) == ((50, 80), "RAPL psys")
