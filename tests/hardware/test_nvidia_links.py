"""How NVIDIA GPUs are linked, against the figures of their whitepapers."""

import pytest
from llmtop.probes.hardware.nvidia.links import link_gbs
from llmtop.probes.hardware.nvidia.probe import NvidiaProbe
from llmtop.probes.sample import Fabric, Pcie

from .simulated import Clock, SimulatedNvml


@pytest.mark.parametrize(
    ("card", "links", "version", "wire_mbs", "gbs"),
    [
        ("P100", 4, 1, 20000, 80),
        ("V100", 6, 2, 25781, 150),
        ("RTX 3090", 4, 5, 14062, 56.2),
        ("A100", 12, 5, 25000, 300),
        ("H100", 18, 6, 26562, 450),
        ("B200", 18, 7, 53125, 900),
        ("H100, an old driver", 18, 6, 0, 450),
    ],
)
def test_nvlink(nvml: SimulatedNvml, card: str, *, links: int, version: int, wire_mbs: int, gbs: float) -> None:
    state = f"nvlinks {links}\nnvlinks_up {links}\nnvlink_version {version}\nnvlink_mbps {wire_mbs}\n"
    nvml.write(f"gpu 0\nname {card}\n{state}")
    fabric = NvidiaProbe().read().devices[0].fabric
    assert fabric
    assert (fabric.name, fabric.links) == ("NVLink", links)
    assert fabric.gbs == pytest.approx(gbs, rel=1e-3)


def test_links_that_are_down_carry_nothing(nvml: SimulatedNvml) -> None:
    clock = Clock()
    state = "gpu 0\nnvlinks 12\nnvlink_version 5\nnvlink_mbps 25000\n"
    nvml.write(state)
    probe = NvidiaProbe(clock=clock)
    assert probe.read().devices[0].fabric is None
    nvml.write(f"{state}nvlinks_up 4\n")
    clock.now += 61
    assert probe.read().devices[0].fabric == Fabric(name="NVLink", links=4, gbs=100)


def test_links_are_found_without_their_number(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\nnvlinks 6\nnvlinks_up 6\nnvlink_version 2\nerror GetFieldValues 2\n")
    assert NvidiaProbe().read().devices[0].fabric == Fabric(name="NVLink", links=6, gbs=150)


def test_unknown_speeds_are_unknown() -> None:
    assert link_gbs(8, None) is None
    assert link_gbs(8, 100_000) == 100
    assert link_gbs(5, None) is None, "of this version some links run at half the speed"


def test_pcie_falls_at_rest_and_rises_under_load(nvml: SimulatedNvml) -> None:
    clock = Clock()
    nvml.write("gpu 0\n")
    probe = NvidiaProbe(clock=clock)
    assert probe.read().devices[0].pcie == Pcie(generation=1, width=16, generation_max=4, width_max=16)
    nvml.write("gpu 0\npcie_gen 4\npcie_width 8\n")
    clock.now += 11
    assert probe.read().devices[0].pcie == Pcie(generation=4, width=8, generation_max=4, width_max=16)


def test_a_gpu_that_tells_nothing_of_pcie_has_none(nvml: SimulatedNvml) -> None:
    nvml.write("gpu 0\npcie_gen 0\npcie_width 0\npcie_gen_max 0\npcie_width_max 0\n")
    assert NvidiaProbe().read().devices[0].pcie is None
