"""What the owner should know of how the memory is populated."""

from collections.abc import Iterator

from .cpu_channels import SERVERS
from .layout import MemoryFacts

_SHARES = {(1, 2): "half", (1, 4): "a quarter", (3, 4): "three quarters", (1, 3): "a third", (2, 3): "two thirds"}
_SLOWER = 0.99
"""Modules are rated for 5600 and run at 5592, or the other way about."""


def memory_remarks(facts: MemoryFacts, cpu: str | None = None) -> Iterator[str]:
    """A sentence each; none where nothing can be bettered."""
    yield from _empty_channels(facts)
    yield from _slow_modules(facts, server=bool(SERVERS.search(cpu or "")))
    yield from _mixed_modules(facts)


def _empty_channels(facts: MemoryFacts) -> Iterator[str]:
    """Soldered memory is left alone: nobody can add to it."""
    used, total = len(facts.channels), facts.channels_total
    if not used or not total or used >= total or not all(module.module for module in facts.modules):
        return
    share = next((word for (part, whole), word in _SHARES.items() if part * total == whole * used), None)
    words = f"{share} of its bandwidth" if share else f"{used / total:.0%} of its bandwidth"
    yield f"{total - used} of {total} memory channels are empty: the CPU reaches {words}"


def _slow_modules(facts: MemoryFacts, *, server: bool) -> Iterator[str]:
    running = [module.mts for module in facts.modules if module.mts and module.module]
    rated = [module.rated_mts for module in facts.modules if module.rated_mts and module.module]
    if not running or not rated or min(running) >= _SLOWER * min(rated):
        return
    why = (
        "the CPU, or so many modules a channel, allow no more"
        if server
        else "an XMP or EXPO profile may be off, or the CPU drives so many modules no faster"
    )
    yield f"{_kind(facts)}{min(rated)} modules run at {min(running)} MT/s: {why}"


def _mixed_modules(facts: MemoryFacts) -> Iterator[str]:
    rated = sorted({module.rated_mts for module in facts.modules if module.rated_mts})
    if len(rated) > 1:
        yield f"modules rated for {_either(rated)} MT/s are mixed: all run as the slowest"
    if any(module.size_bytes is None for module in facts.modules):
        return
    sizes = sorted({round(channel.size_bytes / (1 << 30)) for channel in facts.channels if channel.size_bytes > 1})
    if len(sizes) > 1:
        yield f"the memory channels hold {_either(sizes)} GiB: what one has more is read without the others' bandwidth"


def _kind(facts: MemoryFacts) -> str:
    return f"{facts.type}-" if facts.type else "memory rated for "


def _either(numbers: list[int]) -> str:
    return f"{', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
