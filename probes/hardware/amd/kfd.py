"""What the compute half of amdgpu (KFD) tells of the GPUs: what they are made of.

Layout: `class/kfd/kfd/topology/nodes/N` is a CPU or a GPU; `properties` has a name and a number a line, as have
`mem_banks/N/properties`, `caches/N/properties` and `io_links/N/properties` (drivers/gpu/drm/amd/amdkfd/kfd_topology.c
and kfd_crat.c in Linux). All of it lasts, and to read it wakes no GPU. Of a GPU that a container may not use, nothing
can be read. A GPU that is partitioned has a node for each part.
"""

import re
from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import read_number, read_text

_XGMI = 11
"""HSA_IOLINK_TYPE_XGMI of kfd_crat.h."""
_NUMBER = re.compile(r"[0-9]{1,20}")
_LAST_CACHES = 8
"""The nodes list their caches by level, hundreds of them; the last level stands at the end."""


class KfdNode(Struct, frozen=True, kw_only=True):
    """One GPU, or one part of a partitioned one."""

    number: int
    """Programs of ROCm count the GPUs in this order."""
    gpu_id: int
    """How other files of KFD call it."""
    address: str
    """PCI, as "0000:03:00.0"; one for all parts of a GPU."""
    target: str | None = None
    """What compilers call it: "gfx1100", "gfx90a"."""
    units: int | None = None
    """Compute units."""
    width_bits: int | None = None
    """Of the bus to its memory."""
    memory_mhz: int | None = None
    """The highest clock of its memory."""
    cache_bytes: int | None = None
    """Of the last level."""
    unique_id: int | None = None
    links: int = 0
    """xGMI links to other GPUs."""
    links_gbs: float | None = None
    """Of all of them in one direction."""


def kfd_nodes(root: Path) -> list[KfdNode]:
    """The GPUs in the order of their nodes; empty without KFD."""
    folders = sorted(_numbered(root / "sys/class/kfd/kfd/topology/nodes"), key=lambda each: int(each.name))
    told = {int(folder.name): (folder, _numbers(folder / "properties")) for folder in folders}
    gpus = {number: each for number, each in told.items() if each[1].get("simd_count")}
    places = {number: _address(facts) for number, (_, facts) in gpus.items()}
    return [_node(number, folder, facts, places) for number, (folder, facts) in gpus.items()]


def main_memory_mts(root: Path) -> int | None:
    """Transfers a second of the main memory in millions, as its modules are rated (SMBIOS, read by the kernel)."""
    for folder in _numbered(root / "sys/class/kfd/kfd/topology/nodes"):
        if _numbers(folder / "properties").get("cpu_cores_count"):
            rates = [_numbers(bank / "properties").get("mem_clk_max") for bank in _numbered(folder / "mem_banks")]
            if any(rates):
                return min(rate for rate in rates if rate)
    return None


def _node(number: int, folder: Path, facts: dict[str, int], places: dict[int, str]) -> KfdNode:
    banks = [_numbers(bank / "properties") for bank in _numbered(folder / "mem_banks")]
    links = [link for link in map(_link, _numbered(folder / "io_links")) if link["type"] == _XGMI]
    links = [link for link in links if places.get(link.get("node_to", -1), places[number]) != places[number]]
    width = max((bank.get("width", 0) for bank in banks), default=0)
    clock = max((bank.get("mem_clk_max", 0) for bank in banks), default=0)
    speed = sum(link.get("max_bandwidth", 0) for link in links)
    return KfdNode(
        number=number,
        gpu_id=read_number(folder / "gpu_id") or 0,
        address=places[number],
        target=_target(facts.get("gfx_target_version", 0)),
        units=facts["simd_count"] // (facts.get("simd_per_cu") or 4),
        width_bits=width or None,
        memory_mhz=clock or None,
        cache_bytes=_last_cache(folder / "caches"),
        unique_id=facts.get("unique_id") or None,
        links=sum(_lines(link) for link in links),
        links_gbs=speed / 1000 or None,
    )


def _link(folder: Path) -> dict[str, int]:
    return {"type": 0, **_numbers(folder / "properties")}


def _lines(link: dict[str, int]) -> int:
    """How many there are to one other GPU: the lowest bandwidth is that of one, the highest that of all."""
    one, most = link.get("min_bandwidth", 0), link.get("max_bandwidth", 0)
    return max(most // one, 1) if one else 1


def _address(facts: dict[str, int]) -> str:
    """By bus and device. The lowest bits number the parts of a partitioned GPU; the function of a GPU is 0 anyway."""
    place = facts.get("location_id", 0)
    return f"{facts.get('domain', 0):04x}:{place >> 8 & 0xFF:02x}:{place >> 3 & 0x1F:02x}.0"


def _target(version: int) -> str | None:
    """Of 90010: 9.0.10 is "gfx90a"."""
    return f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}" if version else None


def _last_cache(folder: Path) -> int | None:
    last = sorted(_numbered(folder), key=lambda each: int(each.name))[-_LAST_CACHES:]
    caches = [_numbers(each / "properties") for each in last]
    level = max((cache.get("level", 0) for cache in caches), default=0)
    size = sum(cache.get("size", 0) for cache in caches if cache.get("level") == level) if level > 1 else 0
    return size * 1024 or None


def _numbered(folder: Path) -> list[Path]:
    return [each for each in entries(folder, "*") if each.name.isdigit()]


def _numbers(path: Path) -> dict[str, int]:
    pairs = (line.split(" ", 1) for line in (read_text(path) or "").splitlines() if " " in line)
    return {name: int(value) for name, value in pairs if _NUMBER.fullmatch(value)}
