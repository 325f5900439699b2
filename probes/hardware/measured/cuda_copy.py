"""Copies inside a GPU's memory, timed by the GPU's own clock."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from ctypes import byref, c_float, c_void_p
from time import monotonic

from msgspec import Struct

from .cuda import OUT_OF_MEMORY, Cuda, CudaError

_LARGEST_BYTES = 1 << 30
_SMALLEST_BYTES = 64 << 20
_CACHES = 4
"""Times the L2 cache that each of the two buffers must hold at least: else a copy would partly stay in it."""
_SHARE_OF_FREE = 0.25
_WARM_UP_S = 0.5
"""A GPU that rested has its memory at a low clock, and raises it within some tenths of a second."""
_WINDOW_S = 0.1
_WINDOWS = 15
_LIMIT_S = 3.0
"""Of warming up and all windows, by the clock of the host."""


class Copied(Struct, frozen=True, kw_only=True):
    """What was found. GB/s are 1e9 bytes a second; each byte counts twice, as it is read and written."""

    windows_gbs: list[float]
    buffer_bytes: int
    """Both buffers together."""
    seconds: float
    cuda: str
    """The newest version of CUDA that the driver knows."""


class TooFull(Exception):
    """There is not enough free memory; the text is one line."""


def copied(cuda: Cuda, device: int) -> Copied:
    """Takes about two seconds, at most a quarter of the free memory and 2 GiB of it; gives all of it back.

    Raises:
        CudaError: The driver failed.
        TooFull: There is not enough free memory.
    """
    cuda.enter(device)
    try:
        least = max(_SMALLEST_BYTES, _CACHES * cuda.cache_bytes(device))
        with _buffers(cuda, least) as (to, source, size), _queue(cuda) as lane:
            began = monotonic()
            windows = list(_windows(_Copier(cuda, lane, to, source, size), began + _LIMIT_S))
            return Copied(windows_gbs=windows, buffer_bytes=2 * size, seconds=monotonic() - began, cuda=cuda.version())
    finally:
        cuda.leave(device)


class _Lane(Struct, frozen=True):
    stream: c_void_p
    start: c_void_p
    stop: c_void_p


class _Copier(Struct, frozen=True):
    """Does so many copies in a row."""

    cuda: Cuda
    lane: _Lane
    to: int
    source: int
    size: int

    def seconds(self, count: int) -> float:
        """How long the copies took on the GPU; they are queued at once, so that none waits for the host."""
        call, lane = self.cuda.call, self.lane
        call("cuEventRecord", lane.start, lane.stream)
        for _ in range(count):
            call("cuMemcpyDtoDAsync_v2", self.to, self.source, self.size, lane.stream)
        call("cuEventRecord", lane.stop, lane.stream)
        call("cuEventSynchronize", lane.stop)
        took_ms = c_float()
        call("cuEventElapsedTime", byref(took_ms), lane.start, lane.stop)
        return max(took_ms.value, 1e-3) / 1e3


def _windows(copier: _Copier, until: float) -> Iterator[float]:
    """GB/s of each window; at least one."""
    count, warm_s = 1, 0.0
    while warm_s < _WARM_UP_S and monotonic() < until:
        took_s = copier.seconds(count)
        warm_s += took_s
        count = max(1, min(round(count * _WINDOW_S / took_s), 8 * count))
    for number in range(_WINDOWS):
        if number and monotonic() >= until:
            return
        yield 2 * count * copier.size / copier.seconds(count) / 1e9


@contextmanager
def _buffers(cuda: Cuda, least: int) -> "Generator[tuple[int, int, int]]":
    """Two of one size, as large as may be: of memory that looks free not all can always be had."""
    free = cuda.free_bytes()
    size = min(_LARGEST_BYTES, int(free * _SHARE_OF_FREE) // 2) >> 20 << 20
    while True:
        if size < least:
            wanted = int(2 * least / _SHARE_OF_FREE) >> 20
            raise TooFull(f"the measurement needs {wanted} MiB of free memory, {free >> 20} MiB are free")
        found: list[int] = []
        try:
            for _ in range(2):
                found.append(cuda.allocate(size))  # noqa: PERF401 - the first must be known when the second fails
        except CudaError as error:
            _free(cuda, found)
            if error.code != OUT_OF_MEMORY:
                raise
            size //= 2
            continue
        break
    try:
        yield found[0], found[1], size
    finally:
        _free(cuda, found)


def _free(cuda: Cuda, addresses: list[int]) -> None:
    for address in addresses:
        cuda.free(address)


@contextmanager
def _queue(cuda: Cuda) -> "Generator[_Lane]":
    stream = cuda.stream()
    events: list[c_void_p] = []
    try:
        for _ in range(2):
            events.append(cuda.event())  # noqa: PERF401 - the first must be known when the second fails
        yield _Lane(stream, *events)
    finally:
        for event in events:
            cuda.forget(event)
        cuda.end(stream)
