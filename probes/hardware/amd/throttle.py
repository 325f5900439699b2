"""Why an AMD GPU holds its clocks down, in words: from bits that stand now, or from counts that have grown."""

from .metrics import AmdMetrics

_BITS = (
    ("power cap", (0, 1, 2, 3, 4, 5, 6, 7, 56)),
    ("too hot (hot spot)", (36,)),
    ("too hot", (32, 33, 35, 37, 42, 43)),
    ("memory too hot", (34,)),
    ("voltage regulators too hot", (38, 39, 40, 41, 44, 45)),
    ("too hot (signal from the board)", (46, 47)),
    ("current limit", (16, 17, 18, 19, 20, 21, 22, 23)),
    ("reliability", (57,)),
)
"""SMU_THROTTLER_*_BIT of drivers/gpu/drm/amd/pm/swsmu/inc/amdgpu_smu.h: the same for all GPUs."""
_COUNTS = (
    ("power cap", ("ppt", "spl", "fppt", "sppt")),
    ("too hot", ("thermal", "core", "graphics", "soc")),
    ("memory too hot", ("memory",)),
    ("voltage regulators too hot", ("regulator",)),
    ("too hot (signal from the board)", ("prochot",)),
)
_SHARE = 0.05
"""Part of the time between two readings below which nobody would notice."""


class AmdThrottle:
    """Reads one GPU's tables, one after the other."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}

    def read(self, metrics: AmdMetrics) -> tuple[str, ...]:
        """What holds it down now, or has since the previous table."""
        before, self._before = self._before, metrics.counts
        bits = metrics.throttling or 0
        standing = [words for words, places in _BITS if any(bits >> place & 1 for place in places)]
        grown = {name: count - before[name] for name, count in metrics.counts.items() if name in before}
        enough = max(_SHARE * grown.get("cycles", 0), 1)
        counted = [words for words, names in _COUNTS if any(grown.get(name, 0) >= enough for name in names)]
        return tuple(dict.fromkeys([*standing, *counted]))
