"""The memory of an AMD GPU: how much there is, and how fast it can be.

Layout: `mem_info_vram_*` is its own memory, or what the firmware keeps of the main memory for an APU; `mem_info_gtt_*`
is main memory that programs may have it use (drivers/gpu/drm/amd/amdgpu/amdgpu_vram_mgr.c and amdgpu_gtt_mgr.c in
Linux). To read them wakes no GPU.
"""

from pathlib import Path
from typing import Literal

from ...sample import Bandwidth
from ..files import read_number
from .kfd import KfdNode
from .metrics import AmdMetrics

_STACKED_BITS = 1024
"""Width of the bus from which memory is stacked (HBM): one stack has as many."""
_NEW_STACKS = ("gfx94", "gfx95")
"""With memory after HBM2, whose transfers per clock no source tells."""
_PLAUSIBLE_MTS = range(800, 20_000)
_MOST_BYTES = 1 << 50


class AmdMemory:
    """Reads its size and use. Programs on an APU take of both kinds; a card works out of its own."""

    def __init__(self, folder: Path, *, apu: bool) -> None:
        self._folder = folder
        self._kinds = ("vram", "gtt") if apu else ("vram",)
        self.total_bytes = self._sum("total")
        self.carveout_bytes = self._size("vram_total") if apu else None

    def used(self) -> int | None:
        """Bytes in use now; None for more than there are."""
        used = self._sum("used")
        return used if used is None or used <= (self.total_bytes or used) else None

    def _sum(self, what: str) -> int | None:
        found = [self._size(f"{kind}_{what}") for kind in self._kinds]
        known = [each for each in found if each is not None]
        return sum(known) if known and len(known) == len(found) else None

    def _size(self, name: str) -> int | None:
        size = read_number(self._folder / f"mem_info_{name}")
        return size if size is not None and 0 <= size <= _MOST_BYTES else None


def memory_type(node: KfdNode | None, *, apu: bool) -> Literal["HBM", "GDDR"] | None:
    """By the width of its bus. That of an APU is the main memory, of whatever type that is."""
    if node is None or node.width_bits is None or (apu and node.width_bits < _STACKED_BITS):
        return None
    return "HBM" if node.width_bits >= _STACKED_BITS else "GDDR"


def peak_bandwidth(
    node: KfdNode | None, metrics: AmdMetrics | None, *, apu: bool, main_memory_mts: int | None
) -> Bandwidth:
    """What the driver tells, or the width of the bus times the transfers on each line; empty where one is not known."""
    if metrics and metrics.bandwidth_gbs:
        return Bandwidth(peak=metrics.bandwidth_gbs, basis="driver (gpu_metrics)")
    if node is None or node.width_bits is None:
        return Bandwidth()
    if apu and node.width_bits < _STACKED_BITS:
        if main_memory_mts is None or main_memory_mts not in _PLAUSIBLE_MTS:
            return Bandwidth()
        return Bandwidth(
            peak=node.width_bits / 8 * main_memory_mts / 1000,
            basis=f"{node.width_bits} bit at {main_memory_mts} MT/s, for which the main memory is rated (KFD)",
        )
    transfers = _transfers(node)
    if not transfers or not node.memory_mhz:
        return Bandwidth()
    return Bandwidth(
        peak=node.width_bits / 8 * node.memory_mhz * transfers / 1000,
        basis=f"{node.width_bits} bit x {node.memory_mhz} MHz x {transfers} (KFD)",
    )


def _transfers(node: KfdNode) -> int | None:
    """On each line in one clock: GDDR5 has 4, GDDR6 16, HBM 2 (`ac_memory_ops_per_clock` in Mesa)."""
    target = node.target or ""
    if target.startswith(_NEW_STACKS):
        return None
    if (node.width_bits or 0) >= _STACKED_BITS:
        return 2
    if target.startswith(("gfx10", "gfx11", "gfx12")):
        return 16
    return 4 if target.startswith("gfx8") else None
