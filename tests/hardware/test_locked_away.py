"""Systems that keep `sys` and `proc` from everybody but root: what is not seen is not there, and nothing breaks."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.facts import cpu_facts
from llmtop.probes.hardware.cpu.temperature import CpuTemperature
from llmtop.probes.hardware.cpu.topology import Topology, topology
from llmtop.probes.hardware.dimms.layout import memory_facts
from llmtop.probes.hardware.dimms.nodes import seats
from llmtop.probes.hardware.entries import entries
from llmtop.probes.hardware.host.probe import HostProbe
from llmtop.probes.hardware.power.cpu import CpuPower
from llmtop.probes.hardware.power.supply import battery_power_w

from .trees import put, tree

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="rights as Linux keeps them")


@contextmanager
def nobody() -> "Generator[None]":
    """Root reads everything, so tests that run as root become somebody else."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_nothing_is_seen_and_nothing_breaks(tmp_path: Path) -> None:
    tree(tmp_path, "arrow-lake-h")
    put(tmp_path, "sys/class/power_supply/BAT0/uevent", "POWER_SUPPLY_TYPE=Battery")
    assert topology(tmp_path) != Topology()
    locked = [tmp_path / "sys", tmp_path / "proc"]
    for folder in locked:
        folder.chmod(0)
    try:
        with nobody():
            assert entries(tmp_path / "sys/class/hwmon", "*") == []
            assert topology(tmp_path) == Topology()
            assert CpuTemperature(tmp_path).read() is None
            assert cpu_facts(tmp_path).cache_bytes is None
            assert memory_facts(tmp_path).channels == ()
            assert seats(2, tmp_path) == [None, None]
            assert CpuPower(tmp_path).read().power_w is None
            assert battery_power_w(tmp_path) is None
            host = HostProbe(root=tmp_path).read()
    finally:
        for folder in locked:
            folder.chmod(0o700)
    assert host.power_w is None
    assert host.memory_total_bytes
