"""Lists of processors as Linux writes them: "0-3,8,10-11"."""

import re

_LARGEST = 1 << 16


def cpu_list(text: str | None) -> frozenset[int]:
    """The numbers of a list; what is no range of numbers is left out."""
    found: set[int] = set()
    for part in (text or "").split(","):
        ends = re.fullmatch(r"\s*(\d{1,12})(?:-(\d{1,12}))?\s*", part)
        if ends:
            first, last = int(ends[1]), int(ends[2] or ends[1])
            found.update(range(first, min(last, _LARGEST) + 1))
    return frozenset(found)
