"""What CPUs are called, and by whom that is told."""

from pathlib import Path

import pytest
from llmtop.probes.hardware.cpu.facts import cpu_facts

from .memory_tables import structure, write
from .trees import put, tree

pytestmark = pytest.mark.skipif("sys.platform == 'darwin'", reason="reads the trees of Linux")


def test_name_and_vendor(tmp_path: Path) -> None:
    put(
        tmp_path,
        "proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R)  Xeon(R) \nflags\t:\n",
    )
    facts = cpu_facts(tmp_path)
    assert (facts.name, facts.vendor) == ("Intel(R) Xeon(R)", "Intel")


@pytest.mark.parametrize(
    ("name", "words", "vendor"),
    [
        ("raspberry-pi-5", "Raspberry Pi 5 Model B", "Arm"),
        ("rock-5b", "Radxa ROCK 5B", "Arm"),
        ("gb10", "Cortex-X925 + Cortex-A725", "Arm"),
        ("altra", "Ampere Altra", "Arm"),
        ("grace", "NVIDIA Grace", "Arm"),
        ("graviton-3", "AWS Graviton3", "Arm"),
        ("qemu-arm", "Cortex-A72", "Arm"),
        ("raptor-lake", "13th Gen Intel(R) Core(TM) i9-13900K", "Intel"),
    ],
)
def test_names(tmp_path: Path, name: str, words: str, vendor: str) -> None:
    facts = cpu_facts(tree(tmp_path, name))
    assert (facts.name, facts.vendor) == (words, vendor)


def test_firmware_knows_the_model_of_an_arm_server(tmp_path: Path) -> None:
    version = structure(4, bytes(0x0C) + b"\x01" + bytes(0x17), "Ampere(R) Altra(R) Processor Q80-30")
    assert cpu_facts(write(tree(tmp_path, "altra"), version)).name == "Ampere Altra Q80-30"


@pytest.mark.parametrize(
    ("cpuinfo", "name", "flags"),
    [
        ("CPU implementer\t: 0x41\nCPU part\t: 0xfff\nFeatures\t: fp asimd\n", None, frozenset({"fp", "asimd"})),
        ("CPU implementer\t: 0x41\nFeatures\t:\n", None, frozenset[str]()),
        ("cpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported", frozenset[str]()),
        ("Model Name\t\t: Loongson-3A6000\nFeatures\t\t: lsx lasx\n", "Loongson-3A6000", frozenset({"lsx", "lasx"})),
        ("processor\t: 0\nisa\t\t: rv64imafdcv_zicbom_zvfh\n", None, frozenset({"rvv"})),
        ("processor\t: 0\nisa\t\t: rv64imafdc_zvkb\n", None, frozenset[str]()),
        ("", None, frozenset[str]()),
    ],
)
def test_names_and_flags_of_others(tmp_path: Path, cpuinfo: str, name: str | None, flags: frozenset[str]) -> None:
    put(tmp_path, "proc/cpuinfo", cpuinfo)
    facts = cpu_facts(tmp_path)
    assert (facts.name, facts.flags) == (name, flags)
