"""Loops over memory that are bound by the memory: read, copy and add, each on a block that its caller owns.

Read is `memchr` of the C library looking for a byte that is not there, and `memcmp` of two buffers that are equal: both
are vectorised for the running CPU, and ctypes releases the interpreter's lock for the call. numpy's own reductions stay
below the memory (on one core of an AMD EPYC 9005 `sum` reached 45 % and `max` 85 % of what `memchr` and loops in C
reach: the adder binds them), and `dot` reaches it but may start threads of its BLAS inside ours. The C library of
Alpine searches word by word, so numpy's `max` stands beside them. The fastest counts. Copy and add are numpy's.

Bytes are those that a kernel names: read 1 stream, copy 2, add 3. That a store may read its line first is not counted.
"""

import ctypes
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Arena = NDArray[float32]

Step = Callable[[], object]
"""Works through one block, all in one call that releases the interpreter's lock."""

BLOCK_BYTES = 16 << 20
"""Long enough that the interpreter's share of a step is below 1 %, also with a hundred threads."""

_ABSENT = 0xFF
"""A byte that neither 1.0 nor 2.0 contains as float32."""


def arena(blocks: int) -> "Arena":
    """Memory of so many blocks, touched by the calling thread so that it lies near it."""
    import numpy as np  # noqa: PLC0415 - 100 ms that only a measurement pays

    return np.ones(blocks * BLOCK_BYTES // 4, np.float32)


def blocks_of(memory: "Arena") -> "list[Arena]":
    """The arena cut into blocks."""
    size = BLOCK_BYTES // 4
    return [memory[start : start + size] for start in range(0, len(memory), size)]


def read_libc(blocks: "list[Arena]") -> list[Step]:
    """One stream: searches each block in vain."""
    search = _libc().memchr
    search.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)
    search.restype = ctypes.c_void_p
    return [partial(search, block.ctypes.data, _ABSENT, block.nbytes) for block in blocks]


def read_pairs(blocks: "list[Arena]") -> list[Step]:
    """Two streams: compares the first half of the blocks with the second, which holds the same."""
    compare = _libc().memcmp
    compare.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    compare.restype = ctypes.c_int
    half = len(blocks) // 2
    return [
        partial(compare, blocks[i].ctypes.data, blocks[half + i].ctypes.data, blocks[i].nbytes) for i in range(half)
    ]


def read_numpy(blocks: "list[Arena]") -> list[Step]:
    """One stream: the largest element of each block."""
    import numpy as np  # noqa: PLC0415

    return [partial(np.maximum.reduce, block) for block in blocks]


def copy(blocks: "list[Arena]") -> list[Step]:
    """Two streams: the second half of the blocks into the first."""
    import numpy as np  # noqa: PLC0415

    half = len(blocks) // 2
    return [partial(np.copyto, blocks[i], blocks[half + i]) for i in range(half)]


def add(blocks: "list[Arena]") -> list[Step]:
    """Three streams: the sum of the second and the last third into the first."""
    import numpy as np  # noqa: PLC0415

    third = len(blocks) // 3
    return [partial(np.add, blocks[third + i], blocks[2 * third + i], blocks[i]) for i in range(third)]


def _libc() -> ctypes.CDLL:
    """The C library, whose functions Python itself has loaded except on Windows."""
    return ctypes.CDLL("ucrtbase" if os.name == "nt" else None)


class Kernel(Struct, frozen=True):
    """A loop over memory, and how many streams of bytes it names."""

    name: str
    streams: int
    steps: "Callable[[list[Arena]], list[Step]]"


READS = (Kernel("read", 1, read_libc), Kernel("read", 2, read_pairs), Kernel("read", 1, read_numpy))
WRITES = (Kernel("copy", 2, copy), Kernel("add", 3, add))
