"""A kernel that answers DRM_IOCTL_XE_DEVICE_QUERY and DRM_IOCTL_I915_QUERY, as xe_drm.h and i915_drm.h have them."""

import ctypes
from ctypes import Structure, c_int32, c_uint8, c_uint16, c_uint32, c_uint64
from errno import EINVAL

GIB = 1 << 30


class XeQuery(Structure):
    _fields_ = (
        ("extensions", c_uint64),
        ("query", c_uint32),
        ("size", c_uint32),
        ("data", c_uint64),
        ("reserved", c_uint64 * 2),
    )


class XeRegion(Structure):
    _fields_ = (
        ("mem_class", c_uint16),
        ("instance", c_uint16),
        ("min_page_size", c_uint32),
        ("total_size", c_uint64),
        ("used", c_uint64),
        ("cpu_visible_size", c_uint64),
        ("cpu_visible_used", c_uint64),
        ("reserved", c_uint64 * 6),
    )


class I915Item(Structure):
    _fields_ = (("query_id", c_uint64), ("length", c_int32), ("flags", c_uint32), ("data_ptr", c_uint64))


class I915Query(Structure):
    _fields_ = (("num_items", c_uint32), ("flags", c_uint32), ("items_ptr", c_uint64))


class I915Region(Structure):
    _fields_ = (
        ("memory_class", c_uint16),
        ("memory_instance", c_uint16),
        ("rsvd0", c_uint32),
        ("probed_size", c_uint64),
        ("unallocated_size", c_uint64),
        ("probed_cpu_visible_size", c_uint64),
        ("unallocated_cpu_visible_size", c_uint64),
        ("rsvd1", c_uint64 * 6),
    )


class I915Topology(Structure):
    _fields_ = tuple(
        (name, c_uint16)
        for name in (
            *("flags", "max_slices", "max_subslices", "max_eus_per_subslice"),
            *("subslice_offset", "subslice_stride", "eu_offset", "eu_stride"),
        )
    )


XE_REQUEST = (3 << 30) | (ctypes.sizeof(XeQuery) << 16) | (ord("d") << 8) | (0x40 + 0x00)
I915_REQUEST = (3 << 30) | (ctypes.sizeof(I915Query) << 16) | (ord("d") << 8) | (0x40 + 0x39)


def bits(count: int, bytes_: int = 8) -> bytes:
    return ((1 << count) - 1).to_bytes(bytes_, "little")


class Kernel:
    """`regions` are (own, total, used, visible); `cores` by GT with the execution units of each, and their lanes."""

    def __init__(
        self,
        regions: list[tuple[bool, int, int, int]],
        cores: list[tuple[int, int]],
        *,
        wide: bool = False,
        perfmon: bool = False,
    ) -> None:
        self.regions = regions
        self.cores = cores
        self.wide = wide
        self.perfmon = perfmon
        self.asked = 0
        self.answers = True

    def __call__(self, node: int, request: int, argument: bytearray) -> int:
        del node
        self.asked += 1
        if not self.answers:
            raise OSError(EINVAL, "Invalid argument")
        if request == XE_REQUEST:
            return self._xe(XeQuery.from_buffer(argument))
        if request == I915_REQUEST:
            return self._i915(I915Query.from_buffer(argument))
        raise OSError(EINVAL, "Invalid argument")

    def _xe(self, query: XeQuery) -> int:
        answer = {1: self._xe_regions, 5: self._xe_topology}[query.query]()
        if query.size == 0:
            query.size = len(answer)
        elif query.size != len(answer):
            raise OSError(EINVAL, "Invalid argument")
        else:
            ctypes.memmove(query.data, answer, len(answer))
        return 0

    def _xe_regions(self) -> bytes:
        told = [
            XeRegion(
                mem_class=int(own),
                instance=number,
                min_page_size=65_536,
                total_size=total,
                used=used if self.perfmon else 0,
                cpu_visible_size=visible if own else 0,
            )
            for number, (own, total, used, visible) in enumerate(self.regions)
        ]
        return len(told).to_bytes(8, "little") + b"".join(bytes(region) for region in told)

    def _xe_topology(self) -> bytes:
        said = b""
        for gt, (cores, units) in enumerate(self.cores):
            masks = ((1, bits(cores)), (2, bits(cores)), (3, bits(4)), (5 if self.wide else 4, bits(units)))
            for kind, mask in masks:
                said += gt.to_bytes(2, "little") + kind.to_bytes(2, "little") + len(mask).to_bytes(4, "little") + mask
        return said

    def _i915(self, query: I915Query) -> int:
        item = I915Item.from_address(query.items_ptr)
        answer = {1: self._i915_topology, 4: self._i915_regions}[item.query_id]()
        if item.length == 0:
            item.length = len(answer)
        elif item.length < len(answer) or any((c_uint8 * 16).from_address(item.data_ptr)):
            item.length = -EINVAL
        else:
            ctypes.memmove(item.data_ptr, answer, len(answer))
        return 0

    def _i915_regions(self) -> bytes:
        told = [
            I915Region(
                memory_class=int(own),
                probed_size=total,
                unallocated_size=total - used if self.perfmon and own else total,
                probed_cpu_visible_size=visible,
                unallocated_cpu_visible_size=visible,
            )
            for own, total, used, visible in self.regions
        ]
        return len(told).to_bytes(16, "little") + b"".join(bytes(region) for region in told)

    def _i915_topology(self) -> bytes:
        cores, units = self.cores[0]
        stride = 4
        header = I915Topology(
            max_slices=1,
            max_subslices=32,
            max_eus_per_subslice=16,
            subslice_offset=1,
            subslice_stride=stride,
            eu_offset=1 + stride,
            eu_stride=2,
        )
        return bytes(header) + b"\1" + bits(cores, stride) + bits(units, 2) * cores + b"\0\0" * (32 - cores)


def arc_a770(*, perfmon: bool = False, visible: int = 16 * GIB) -> Kernel:
    """16 GiB and 32 cores of 16 units (Intel's product data: 512 vector engines)."""
    regions = [(False, 32 * GIB, 0, 32 * GIB), (True, 16 * GIB, 5 * GIB, visible)]
    return Kernel(regions, [(32, 16)], perfmon=perfmon)


def arc_b580(*, perfmon: bool = False) -> Kernel:
    """12 GiB, 20 cores of 8 units with 16 lanes, and a GT for video."""
    regions = [(False, 16 * GIB, 0, 0), (True, 12 * GIB, 7 * GIB, 12 * GIB)]
    return Kernel(regions, [(20, 8), (0, 0)], wide=True, perfmon=perfmon)


def integrated(cores: int, units: int, *, wide: bool) -> Kernel:
    return Kernel([(False, 16 * GIB, 0, 0)], [(cores, units), (0, 0)], wide=wide)
