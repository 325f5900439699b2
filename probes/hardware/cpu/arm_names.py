"""What Arm's CPUs are called: the kernel prints numbers only.

Sources: the parts of MIDR_EL1 in arch/arm64/include/asm/cputype.h of Linux and in lscpu-arm.c of util-linux; the
SMCCC numbers of chips in drivers/irqchip/irq-gic-v3.c (NVIDIA T241, which is Grace) and in the sbc-bench results of an
Altra; AWS's "Graviton getting started" for the cores of Graviton.
"""

import re
from pathlib import Path

from ..dimms.smbios import processor_version
from ..files import ROOT, read_text

_PARTS = {
    "0x41": {
        "0xd03": "Cortex-A53",
        "0xd04": "Cortex-A35",
        "0xd05": "Cortex-A55",
        "0xd07": "Cortex-A57",
        "0xd08": "Cortex-A72",
        "0xd09": "Cortex-A73",
        "0xd0a": "Cortex-A75",
        "0xd0b": "Cortex-A76",
        "0xd0c": "Neoverse-N1",
        "0xd0d": "Cortex-A77",
        "0xd40": "Neoverse-V1",
        "0xd41": "Cortex-A78",
        "0xd42": "Cortex-A78AE",
        "0xd44": "Cortex-X1",
        "0xd46": "Cortex-A510",
        "0xd47": "Cortex-A710",
        "0xd48": "Cortex-X2",
        "0xd49": "Neoverse-N2",
        "0xd4b": "Cortex-A78C",
        "0xd4c": "Cortex-X1C",
        "0xd4d": "Cortex-A715",
        "0xd4e": "Cortex-X3",
        "0xd4f": "Neoverse-V2",
        "0xd80": "Cortex-A520",
        "0xd81": "Cortex-A720",
        "0xd82": "Cortex-X4",
        "0xd83": "Neoverse-V3AE",
        "0xd84": "Neoverse-V3",
        "0xd85": "Cortex-X925",
        "0xd87": "Cortex-A725",
        "0xd8b": "C1-Pro",
        "0xd8c": "C1-Ultra",
        "0xd8e": "Neoverse-N3",
    },
    "0x46": {"0x001": "A64FX"},
    "0x48": {"0xd01": "Kunpeng-920"},
    "0x4e": {"0x004": "Carmel"},
    "0x51": {"0x001": "Oryon"},
    "0x61": {
        "0x022": "Icestorm-M1",
        "0x023": "Firestorm-M1",
        "0x024": "Icestorm-M1-Pro",
        "0x025": "Firestorm-M1-Pro",
        "0x028": "Icestorm-M1-Max",
        "0x029": "Firestorm-M1-Max",
        "0x032": "Blizzard-M2",
        "0x033": "Avalanche-M2",
    },
    "0xc0": {"0xac3": "Ampere-1", "0xac4": "Ampere-1a"},
}
"""By implementer and part."""

_CHIPS = {"jep106:036b:0241": "NVIDIA Grace", "jep106:0a16:0001": "Ampere Altra"}
"""By `soc_id` (Documentation/ABI/testing/sysfs-devices-soc): the maker's JEP106 code and its number of the chip."""

_GRAVITONS = {"Neoverse-N1": "AWS Graviton2", "Neoverse-V1": "AWS Graviton3", "Neoverse-V2": "AWS Graviton4"}


def arm_name(cpuinfo: str, root: Path = ROOT) -> str | None:
    """The board, else the chip, else the cores: "Raspberry Pi 5 Model B", "NVIDIA Grace", "Cortex-X925 + Cortex-A725".

    None where `cpuinfo` is none of an Arm CPU, or of one that is not known.
    """
    makers = re.findall(r"^CPU implementer\s*:\s*(\S+)", cpuinfo, re.MULTILINE)
    parts = re.findall(r"^CPU part\s*:\s*(\S+)", cpuinfo, re.MULTILINE)
    if not makers or len(makers) != len(parts):
        return None
    names = [_PARTS.get(maker, {}).get(part) for maker, part in dict.fromkeys(zip(makers, parts, strict=True))]
    cores = " + ".join(sorted((name for name in names if name), key=_strength, reverse=True)) or None
    return _board(root) or _chip(root) or _cloud(root, cores) or cores


def _board(root: Path) -> str | None:
    """As the device tree calls it, without its revision; a simulated board is none."""
    model = (read_text(root / "proc/device-tree/model") or "").strip("\0 ")
    simulated = "dummy-virt" in (read_text(root / "proc/device-tree/compatible") or "")
    return None if simulated else re.sub(r"\s+Rev \S+$", "", model) or None


def _chip(root: Path) -> str | None:
    try:
        told = processor_version((root / "sys/firmware/dmi/tables/DMI").read_bytes())
    except OSError:
        told = None
    if told and re.search(r"Altra|AmpereOne|Grace|Kunpeng|Snapdragon", told):
        return re.sub(r"\s+", " ", re.sub(r"\((?:R|TM)\)|\bProcessor\b", " ", told)).strip()
    return _CHIPS.get(read_text(root / "sys/devices/soc0/soc_id") or "")


def _cloud(root: Path, cores: str | None) -> str | None:
    return _GRAVITONS.get(cores or "") if read_text(root / "sys/class/dmi/id/sys_vendor") == "Amazon EC2" else None


def _strength(name: str) -> tuple[bool, int]:
    """Orders the kinds of cores in one chip: X before A, and the higher number before the lower."""
    number = re.search(r"\d+", name)
    return "-X" in name, int(number[0]) if number else 0
