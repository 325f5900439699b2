"""What the CPU is: its name, its maker and its last-level cache, from sources that answer at once."""

import platform
import re
import sys
from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import ROOT, read_text
from .arm_names import arm_name
from .lists import cpu_list
from .sysctl import sysctl

_MAKERS = {
    "GenuineIntel": "Intel",
    "AuthenticAMD": "AMD",
    "HygonGenuine": "Hygon",
    "CentaurHauls": "Zhaoxin",
    "0x41": "Arm",
    "0x46": "Fujitsu",
    "0x48": "HiSilicon",
    "0x4e": "NVIDIA",
    "0x51": "Qualcomm",
    "0x61": "Apple",
    "0xc0": "Ampere",
}
"""CPUID vendor strings, and implementer codes of Arm's MIDR_EL1 as Linux prints them."""

APPLE_FEATURES = {
    "asimd": "hw.optional.arm64",
    "asimddp": "hw.optional.arm.FEAT_DotProd",
    "asimdhp": "hw.optional.arm.FEAT_FP16",
    "i8mm": "hw.optional.arm.FEAT_I8MM",
    "bf16": "hw.optional.arm.FEAT_BF16",
    "sme": "hw.optional.arm.FEAT_SME",
    "sme2": "hw.optional.arm.FEAT_SME2",
    "avx2": "hw.optional.avx2_0",
    "avx512f": "hw.optional.avx512f",
}
"""Keys of sysctl on macOS, by the name that Linux gives the same feature."""

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class CpuFacts(Struct, frozen=True, kw_only=True):
    """What does not change while the machine runs."""

    name: str | None
    """None where only a slow source would tell."""
    vendor: str | None
    cache_bytes: int | None
    """All last-level caches together."""
    flags: frozenset[str] = frozenset()
    """Names of its instructions, as Linux prints them; empty where only a slow source would tell."""


def cpu_facts(root: Path = ROOT) -> CpuFacts:
    """Reads the facts once, in about a millisecond."""
    if sys.platform == "darwin":
        size = sysctl("hw.perflevel0.l2cachesize") or sysctl("hw.l3cachesize")
        name = sysctl("machdep.cpu.brand_string")
        vendor = (name or "").partition(" ")[0].removesuffix("(R)") or None
        flags = {flag for flag, key in APPLE_FEATURES.items() if sysctl(key) == "1"}
        return CpuFacts(name=name, vendor=vendor, cache_bytes=int(size) if size else None, flags=frozenset(flags))
    text = read_text(root / "proc/cpuinfo") or ""
    maker = _line(text, "vendor_id") or _line(text, "CPU implementer")
    return CpuFacts(
        name=_name(text, root),
        vendor=_MAKERS.get(maker or "", maker),
        cache_bytes=_cache_bytes(root),
        flags=_flags(text),
    )


def machine_words(facts: CpuFacts) -> str:
    """The CPU's name, or at least its architecture."""
    return facts.name or platform.machine() or "CPU"


def _name(text: str, root: Path) -> str | None:
    """As the kernel prints it: "model name" of x86, "Model Name" of LoongArch, "cpu" of POWER; Arm's as known here."""
    return arm_name(text, root) or _line(text, "model name") or _line(text, "Model Name") or _line(text, "cpu")


def _flags(text: str) -> frozenset[str]:
    """Of all architectures by the same names; RISC-V writes its vectors as a letter of `isa` (rv64imafdcv_…)."""
    flags = set((_line(text, "flags") or _line(text, "Features") or "").split())
    isa = (_line(text, "isa") or "").partition("_")[0]
    if isa.startswith("rv") and "v" in isa[2:]:
        flags.add("rvv")
    return frozenset(flags)


def _line(text: str, key: str) -> str | None:
    """Value of the first `key : value` line, for the first processor."""
    found = re.search(rf"^{re.escape(key)}\s*:[ \t]*(\S.*)$", text, re.MULTILINE)
    return re.sub(r"\s+", " ", found[1]).strip() if found else None


def _cache_bytes(root: Path) -> int | None:
    """Sum over the distinct caches of the highest level.

    Layout: Documentation/ABI/testing/sysfs-devices-system-cpu in Linux: `index*/level`, `type`, `size` ("32768K") and
    `shared_cpu_list`. The last index of a processor is the one farthest from it. Who shares a cache is not asked again:
    a server of 384 threads has 1,536 such folders.
    """
    levels: dict[int, dict[str, int]] = {}
    known: set[str] = set()
    for cpu in entries(root / "sys/devices/system/cpu", "cpu[0-9]*"):
        if cpu.name in known:
            continue
        for index in reversed(entries(cpu / "cache", "index[0-9]*")):
            level, size = read_text(index / "level"), read_text(index / "size")
            found = re.fullmatch(r"(\d{1,9})([KMG]?)", size or "")
            if level and level.isdecimal() and found and read_text(index / "type") != "Instruction":
                shared = read_text(index / "shared_cpu_list")
                known.update(f"cpu{number}" for number in cpu_list(shared))
                levels.setdefault(int(level), {})[shared or cpu.name] = int(found[1]) * _UNITS.get(found[2], 1)
                break
    return sum(levels[max(levels)].values()) if levels else None
