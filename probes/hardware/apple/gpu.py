"""The GPU of an Apple chip, as its driver tells it in the registry of devices.

`ioreg` is a process of some 50 ms, so it is asked every few seconds only, and not at all where the source of power
tells how busy the GPU is. In a virtual machine there is no AGX, but a paravirtual GPU that tells neither its cores nor
its work.
"""

from collections.abc import Callable
from typing import cast

from msgspec import Struct

from .command import Run
from .plist import dictionary, read_plist

COMMAND = ("/usr/sbin/ioreg", "-a", "-r", "-d", "1", "-c", "IOAccelerator")
"""All accelerators as a property list: an array of dictionaries; nothing at all where there is none."""
PACE_S = 5.0
"""Seconds from one look at the driver to the next."""


class AppleGpu(Struct, frozen=True, kw_only=True):
    """One look."""

    model: str | None = None
    """"Apple M4 Pro"."""
    cores: int | None = None
    utilization: float | None = None
    """Share of time busy of late, 0-1: the mean over a window of the driver's own."""


class AppleGpuReader:
    """Keeps what it saw until it is time to look again."""

    def __init__(self, run: Run, clock: Callable[[], float], pace_s: float = PACE_S) -> None:
        self._run = run
        self._clock = clock
        self._pace_s = pace_s
        self._seen = AppleGpu()
        self._due = clock()

    def read(self) -> AppleGpu:
        """What was seen last, at most `pace_s` old."""
        now = self._clock()
        if now >= self._due:
            self._due = now + self._pace_s
            self._seen = parse(self._run(COMMAND))
        return self._seen


def parse(text: bytes) -> AppleGpu:
    """The first accelerator that is Apple's own; nothing known of it where there is none, or the text is damaged."""
    entries = read_plist(text)
    for entry in cast("list[object]", entries) if isinstance(entries, list) else []:
        facts = dictionary(entry)
        if str(facts.get("IOClass", "")).startswith("AGX"):
            return _gpu(facts)
    return AppleGpu()


def _gpu(facts: dict[str, object]) -> AppleGpu:
    model = facts.get("model")
    cores = _whole(facts.get("gpu-core-count"))
    percent = _whole(dictionary(facts.get("PerformanceStatistics")).get("Device Utilization %"))
    return AppleGpu(
        model=model if isinstance(model, str) and model.isprintable() else None,
        cores=cores if cores and cores > 0 else None,
        utilization=percent / 100 if percent is not None and 0 <= percent <= 100 else None,
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
