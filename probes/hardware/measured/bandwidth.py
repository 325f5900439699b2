"""Measures what the main memory sustains, with every core. Never run unasked: it slows whatever else runs."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import psutil
from msgspec import Struct

from ..cpu.facts import cpu_facts
from ..cpu.usable import working_cores
from ..dimms.nodes import Seat, seats, sit
from ..files import ROOT
from ..host.cgroup import memory_limit
from .measurement import Measurement, load, machine_key, save
from .memory_kernels import BLOCK_BYTES, READS, WRITES, Kernel, Step, arena, blocks_of
from .other_work import Watch
from .race import race

if TYPE_CHECKING:
    from .memory_kernels import Arena

__all__ = ["Measurement", "load", "measure", "save"]

_ROUNDS = 2
"""Each way of reading gets its windows at moments some seconds apart, so that one burst of other work cannot decide."""
_WINDOWS = 3
_LAST_WINDOWS = 15
_GEMM_S = 1.0
_SHARE_OF_MEMORY = 0.25
_SMALLEST = 512 << 20
"""Bytes of all buffers, where the caches are small or unknown."""
_BLOCKS_PER_THREAD = 6
"""The fewest: three pairs for copy, two triples for add."""


class Place(Struct, frozen=True):
    """An arena, and near which processors it lies."""

    memory: "Arena"
    seat: Seat


class _Heat(Struct, frozen=True):
    """One kernel with one number of threads, and the GB/s of its windows."""

    kernel: Kernel
    threads: int
    windows: list[float]

    def best(self) -> float:
        """The best window: what a busy neighbour took away is not the memory's fault."""
        return max(self.windows)


def measure(progress: Callable[[float], None] | None = None) -> Measurement:
    """Takes about eight seconds and up to a quarter of the free memory; `progress` is told shares of the way, 0-1.

    Raises:
        MemoryError: Not even the buffers of one thread fit into that quarter.
    """
    began = perf_counter()
    tell = progress or _nobody
    tell(0.0)
    watch = Watch()
    memory = arenas(working_cores(), free_bytes())
    cores = len(memory)
    counts = sorted({1, max(1, cores // 2), cores}, reverse=True)
    heats: list[_Heat] = []
    steps = _ROUNDS * (len(counts) * len(READS) + len(WRITES)) + 4

    def run(kernel: Kernel, threads: int) -> None:
        heats.append(_heat(memory, kernel, threads, _WINDOWS))
        tell(len(heats) / steps)

    for threads, kernel in product(counts * _ROUNDS, READS):
        run(kernel, threads)
    fastest = max(heats, key=_Heat.best)
    heats.append(_heat(memory, fastest.kernel, fastest.threads, _LAST_WINDOWS))
    same = [heat.windows for heat in heats if (heat.kernel, heat.threads) == (fastest.kernel, fastest.threads)]
    for kernel in WRITES * _ROUNDS:  # last: readers that compare need the memory as it was
        run(kernel, fastest.threads)
    tell((steps - 1) / steps)
    buffer_bytes = sum(place.memory.nbytes for place in memory)
    memory.clear()
    tflops = gemm_tflops(int(free_bytes() * _SHARE_OF_MEMORY))
    others = watch.seen()
    tell(1.0)
    kernels = {kernel.name: 0.0 for kernel in (*READS, *WRITES)}
    for heat in heats:
        kernels[heat.kernel.name] = max(kernels[heat.kernel.name], heat.best())
    return Measurement(
        machine=machine_key(),
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        kernels_gbs=kernels,
        best_gbs=kernels[fastest.kernel.name],
        spread=spread([rate for windows in same for rate in windows]),
        threads=fastest.threads,
        buffer_bytes=buffer_bytes,
        seconds=perf_counter() - began,
        gemm_tflops=tflops,
        other_work=others.share if others else None,
        stolen=others.stolen if others else None,
    )


def _nobody(_share: float) -> None:
    """Where nobody wants to hear of the progress."""


def free_bytes(root: Path = ROOT) -> int:
    """Memory that this process can still get: of the machine, or below the limit of its container."""
    free = psutil.virtual_memory().available
    limit = memory_limit(root)
    return free if limit is None else max(min(free, limit.limit_bytes - (limit.used_bytes or 0)), 0)


def arenas(cores: int, free: int) -> list[Place]:
    """One arena a core, touched by a thread that sits near it; together far beyond the caches, within the `free` bytes.

    Fewer arenas than cores where the memory is short, on all nodes nevertheless.

    Raises:
        MemoryError: There is not enough for one.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only a measurement pays for it

    wanted = max(4 * (cpu_facts().cache_bytes or 0), _SMALLEST)
    allowed = int(free * _SHARE_OF_MEMORY)
    least = _BLOCKS_PER_THREAD * BLOCK_BYTES
    if allowed < least:
        raise MemoryError(f"the measurement needs {int(least / _SHARE_OF_MEMORY) >> 20} MiB of free memory")
    cores = min(cores, allowed // least)
    blocks = max(min(wanted, allowed) // cores // BLOCK_BYTES, _BLOCKS_PER_THREAD)

    def touched(seat: Seat) -> Place:
        sit(seat)
        return Place(arena(blocks), seat)

    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(touched, seats(cores)))


def _heat(memory: Sequence[Place], kernel: Kernel, threads: int, windows: int) -> _Heat:
    places = seats(threads)
    scale = BLOCK_BYTES * kernel.streams / 1e9
    return _Heat(kernel, threads, [rate * scale for rate in race(teams(memory, kernel, places), windows, places)])


def teams(memory: Sequence[Place], kernel: Kernel, places: Sequence[Seat]) -> list[list[Step]]:
    """The steps of each thread: through memory near its seat, as long as some thread sits near that.

    All of the memory is walked, however few the threads are: a small share would fit into a cache.
    """
    found: list[list[Step]] = [[] for _ in places]
    for place in memory:
        near = [team for team, seat in zip(found, places, strict=True) if seat == place.seat] or found
        min(near, key=len).extend(kernel.steps(blocks_of(place.memory)))
    return found


def spread(windows: Sequence[float]) -> float:
    """(p90 - p10) / median."""
    import numpy as np  # noqa: PLC0415

    low, middle, high = np.percentile(windows, (10, 50, 90))
    return float((high - low) / middle)


def gemm_tflops(allowed_bytes: int) -> float:
    """The best float32 matrix product within a second, on the threads that numpy's BLAS uses by itself."""
    import numpy as np  # noqa: PLC0415

    size, best, began = 1024, 0.0, perf_counter()
    while perf_counter() - began < _GEMM_S:
        left = np.ones((size, size), np.float32)
        out = np.empty_like(left)
        start = perf_counter()
        np.matmul(left, left, out=out)
        took = perf_counter() - start
        best = max(best, 2 * size**3 / took / 1e12)
        if took < 0.05 and size < 8192 and 2 * 4 * (2 * size) ** 2 <= allowed_bytes:
            size *= 2
    return best
