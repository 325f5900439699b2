"""What the drivers of Intel GPUs tell through the render node: memory, and how many cores there are.

Nothing but the right to open `/dev/dri/renderDN` is needed. Numbers and layouts: include/uapi/drm/xe_drm.h
(DRM_IOCTL_XE_DEVICE_QUERY) and include/uapi/drm/i915_drm.h (DRM_IOCTL_I915_QUERY) in Linux.
"""

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

_XE_REQUEST = 0xC028_6440
"""_IOWR('d', 0x40 + 0x00, 40 bytes): struct drm_xe_device_query."""
_XE_QUERY = struct.Struct("=QIIQ16x")
"""extensions, query, size, data."""
_XE_MEMORY, _XE_TOPOLOGY = 1, 5
_XE_REGION = struct.Struct("=HHIQQQQ48x")
"""Class, instance, smallest page; bytes: total, used, visible to the CPU, used of those. Behind a header of 8 bytes."""
_XE_MASK = struct.Struct("=HHI")
"""GT, type, bytes of the mask that follows."""
_XE_CORES = (1, 2)
"""Types of masks: the cores that draw, and those that compute."""
_XE_LANES = {4: 8, 5: 16}
"""Types of masks of the execution units in each core, and how many lanes one has."""

_I915_REQUEST = 0xC010_6479
"""_IOWR('d', 0x40 + 0x39, 16 bytes): struct drm_i915_query."""
_I915_QUERY = struct.Struct("=IIQ")
"""How many items, flags, and where they are."""
_I915_ITEM = struct.Struct("=QiIQ")
"""query, length, flags, data."""
_I915_TOPOLOGY, _I915_MEMORY = 1, 4
_I915_REGION = struct.Struct("=HHIQQQQ48x")
"""Class, instance, nothing; bytes: probed, unallocated, probed visible, unallocated visible. Behind 16 bytes."""
_I915_SHAPE = struct.Struct("=8H")
"""Flags; most slices, subslices, execution units; offset and stride of the subslices' masks and of the units'."""
_I915_LANES = 8

_OF_DEVICE = 1
"""Class of memory that is the GPU's own, for both drivers."""
_MOST = 1 << 20
"""Bytes of an answer; a longer one is none."""

Ioctl = Callable[[int, int, bytearray], object]


class GpuMemory(Struct, frozen=True):
    """A GPU's own memory, all tiles together; nothing of an integrated one."""

    total_bytes: int
    used_bytes: int | None = None
    """None without CAP_PERFMON: the drivers hide it then."""
    visible_bytes: int | None = None
    """What of it the CPU can reach: all, unless the resizable BAR is off."""


class GpuShape(Struct, frozen=True):
    """How wide it is."""

    cores: int
    """Xe cores, which older drivers call dual subslices."""
    lanes: int
    """Shading units: float32 operations that begin in a clock."""


class RenderNode:
    """Asks one GPU. Asking wakes it."""

    def __init__(self, file: Path, driver: str, ioctl: Ioctl | None = None) -> None:
        """`driver` is "xe" or "i915"; `ioctl` is for tests."""
        self.forbidden = False
        """Whether this user may not open it."""
        self.file = file
        self._driver = driver
        self._ioctl = ioctl or _ioctl

    def memory(self) -> GpuMemory | None:
        """None where the driver does not answer."""
        if self._driver == "xe":
            answer = self._ask(_XE_MEMORY)
            regions = _own(answer, _XE_REGION, header=8)
            return _memory(answer, [(total, used or None, visible) for total, used, visible in regions])
        answer = self._ask(_I915_MEMORY)
        regions = _own(answer, _I915_REGION, header=16)
        return _memory(
            answer,
            [
                (probed, probed - unallocated if unallocated < probed else None, visible)
                for probed, unallocated, visible in regions
            ],
        )

    def shape(self) -> GpuShape | None:
        """None where the driver does not answer."""
        try:
            if self._driver == "xe":
                return _xe_shape(self._ask(_XE_TOPOLOGY))
            return _i915_shape(self._ask(_I915_TOPOLOGY))
        except struct.error:
            return None

    def _ask(self, question: int) -> bytes:
        """The answer; empty when there is none."""
        self.forbidden = False
        try:
            node = os.open(self.file, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            self.forbidden = True
            return b""
        except OSError:
            return b""
        try:
            return self._xe(node, question) if self._driver == "xe" else self._i915(node, question)
        except OSError:
            return b""
        finally:
            os.close(node)

    def _xe(self, node: int, question: int) -> bytes:
        query = bytearray(_XE_QUERY.pack(0, question, 0, 0))
        self._ioctl(node, _XE_REQUEST, query)
        size: int = _XE_QUERY.unpack(query)[2]
        if not 0 < size <= _MOST:
            return b""
        answer = ctypes.create_string_buffer(size)
        self._ioctl(node, _XE_REQUEST, bytearray(_XE_QUERY.pack(0, question, size, ctypes.addressof(answer))))
        return answer.raw

    def _i915(self, node: int, question: int) -> bytes:
        size = self._i915_item(node, question, 0, 0)
        if not 0 < size <= _MOST:
            return b""
        answer = ctypes.create_string_buffer(size)
        return answer.raw if self._i915_item(node, question, size, ctypes.addressof(answer)) > 0 else b""

    def _i915_item(self, node: int, question: int, length: int, data: int) -> int:
        """The length that the driver says; below 0 is an error."""
        item = ctypes.create_string_buffer(_I915_ITEM.pack(question, length, 0, data), _I915_ITEM.size)
        self._ioctl(node, _I915_REQUEST, bytearray(_I915_QUERY.pack(1, 0, ctypes.addressof(item))))
        return int(_I915_ITEM.unpack(item.raw)[1])


def _own(answer: bytes, region: struct.Struct, *, header: int) -> Iterator[tuple[int, int, int]]:
    """The three figures that count of each region of the GPU's own."""
    count = int.from_bytes(answer[:4], "little")
    for start in range(header, min(header + count * region.size, len(answer) - region.size + 1), region.size):
        kind, _, _, total, second, visible, _ = region.unpack_from(answer, start)
        if kind == _OF_DEVICE:
            yield total, second, visible


def _memory(answer: bytes, regions: list[tuple[int, int | None, int]]) -> GpuMemory | None:
    if not answer:
        return None
    known = [used for _, used, _ in regions if used is not None]
    return GpuMemory(
        sum(total for total, _, _ in regions),
        sum(known) if known and len(known) == len(regions) else None,
        sum(visible for _, _, visible in regions) or None,
    )


def _xe_shape(answer: bytes) -> GpuShape | None:
    """Masks of bits, of all GTs one after another."""
    cores: dict[int, int] = {}
    lanes: dict[int, int] = {}
    start = 0
    while start + _XE_MASK.size <= len(answer):
        gt, kind, length = _XE_MASK.unpack_from(answer, start)
        start += _XE_MASK.size
        bits = int.from_bytes(answer[start : start + length], "little").bit_count()
        start += length
        if kind in _XE_CORES:
            cores[gt] = max(cores.get(gt, 0), bits)
        elif kind in _XE_LANES:
            lanes[gt] = bits * _XE_LANES[kind]
    found = GpuShape(sum(cores.values()), sum(count * lanes.get(gt, 0) for gt, count in cores.items()))
    return found if found.cores and found.lanes else None


def _i915_shape(answer: bytes) -> GpuShape | None:
    if not answer:
        return None
    _, slices, subslices, _, at, stride, units_at, units_stride = _I915_SHAPE.unpack_from(answer)
    data = answer[_I915_SHAPE.size :]
    cores = units = 0
    for number in range(slices):
        there = int.from_bytes(data[at + number * stride : at + (number + 1) * stride], "little")
        for place in range(subslices):
            if there >> place & 1:
                start = units_at + (number * subslices + place) * units_stride
                cores += 1
                units += int.from_bytes(data[start : start + units_stride], "little").bit_count()
    return GpuShape(cores, units * _I915_LANES) if cores and units else None


def _ioctl(node: int, request: int, argument: bytearray) -> object:
    from fcntl import ioctl  # noqa: PLC0415 - not there on Windows, where nobody calls this

    return ioctl(node, request, argument, True)
