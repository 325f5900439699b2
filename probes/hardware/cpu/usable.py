"""What of the machine this process may use, and what its owner should know of that."""

from collections.abc import Iterator

import psutil

from ..host.cgroup import usable_cores
from ..host.main_memory import Memory


def working_cores() -> int:
    """Physical cores, or fewer where this process may not run on all: more threads would only wait for their turn."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return max(min(cores, int(usable_cores() or cores)), 1)


def usable_remarks(
    memory: Memory,
    *,
    cores: float | None,
    threads: int | None,
    container: str | None = None,
    virtualization: str | None = None,
) -> Iterator[str]:
    """A sentence each; `cores` are the logical processors that may be used, `threads` those that there are."""
    parts: list[str] = []
    if memory.limited:
        parts.append(f"{_gib(memory.total_bytes)} of {_gib(memory.machine_bytes)} GiB of memory")
    if cores and threads and cores < threads:
        parts.append(f"{cores:g} of {threads} CPU threads")
    if parts:
        who = f"the container ({container})" if container else "this process"
        yield f"{who} may use {' and '.join(parts)}"
    if virtualization == "WSL2":
        yield f"WSL2 gives Linux {_gib(memory.machine_bytes)} GiB; memory= in .wslconfig changes it"


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f}".removesuffix(".0")
