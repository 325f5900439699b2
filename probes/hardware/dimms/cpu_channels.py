"""How many memory channels of 64 bits a CPU has, by its name, where the names of the slots do not tell.

Sources: the product pages of AMD and Intel, a line a family; the tests hold each against the catalogue of devices.
"""

import re

_FAMILIES = (
    (r"EPYC 7", 8),
    (r"EPYC 9", 12),
    (r"EPYC 8", 6),
    (r"EPYC 4", 2),
    (r"Threadripper PRO", 8),
    (r"Threadripper", 4),
    (r"Ryzen AI Max", 4),
    (r"Ryzen", 2),
    (r"Platinum 92", 12),
    (r"(?:Gold|Platinum) \d3\d\dH", 6),
    (r"(?:Bronze|Silver|Gold|Platinum) \d[12]\d\d", 6),
    (r"(?:Bronze|Silver|Gold|Platinum) \d[345]\d\d", 8),
    (r"Xeon Max 94", 8),
    (r"Xeon 69\d\d[PE]", 12),
    (r"Xeon 6[57]\d\d[PE]", 8),
    (r"Xeon E5-[1246]6", 4),
    (r"Xeon W-2[12]", 4),
    (r"Xeon W-3[12]", 6),
    (r"Xeon W-33", 8),
    (r"Xeon w\d-2[45]", 4),
    (r"Xeon w\d-3[45]", 8),
    (r"Xeon (?:E3-|E-2|W-1)", 2),
    (r"Core i[79]-(?:7[89]|9[89]|109)\d0XE?\b", 4),
    (r"Intel N\d+|Core i3-N", 1),
    (r"Core (?:i\d|Ultra|\d)", 2),
    (r"Altra|AmpereOne", 8),
)

SERVERS = re.compile(r"EPYC|Xeon|Threadripper PRO|Altra|AmpereOne", re.IGNORECASE)
"""CPUs whose modules are registered and have no profiles for overclocking."""


def cpu_channels(name: str | None) -> int | None:
    """Channels of one socket; None for a CPU that is not known."""
    text = re.sub(r"\s+", " ", re.sub(r"\((?:R|TM)\)|\bCPU\b", " ", name or "", flags=re.IGNORECASE))
    return next((count for pattern, count in _FAMILIES if re.search(pattern, text, re.IGNORECASE)), None)
