"""How much memory and time something may take."""

import time
import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager

MIB = 1 << 20


@contextmanager
def within(mib: int, seconds: float) -> Generator[None, None, None]:
    """Fails when what is inside takes more memory or time."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        yield
        took, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < mib * MIB
    assert took < seconds
