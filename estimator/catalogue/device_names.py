"""What carries nothing in the names of hardware: "NVIDIA GeForce RTX 4090 Laptop GPU" is "RTX 4090 Laptop"."""

import re

from .names import plain

_MARKS = re.compile(
    r"\((?:r|tm|c)\)|[®™©]"
    r"|(?:\bcpu)?\s+@.*"  # "i7-8700K CPU @ 3.70GHz"
    r"|\b(?:w/|with )\s*(?:amd )?radeon\b.*"  # "Ryzen 7 5800H with Radeon Graphics"
    r"|\b\d+th gen\b"
    r"|\b\d+-cores?\b(?! gpu)"  # "EPYC 7763 64-Core Processor"
    r"|\bcpu\b(?= +\w)"  # "Xeon(R) CPU E5-2698 v3", not "Ryzen AI Max+ 395 CPU"
    r"|\bryzen(?= threadripper)"
)
_GPU_CORES = re.compile(r"\b(\d+)[- ]core gpu\b")
_APPLE_CORES = re.compile(
    r"\b(m\d+ (?:pro (?=1[4-9]|20)|max (?=[2-4]\d)|ultra (?=[4-8]\d)))(\d+)[- ]cores?\b(?! [cg]pu)"
)
"""More cores than the CPU of such a chip has are those of its GPU: "M3 Max 30-core"."""
_SAME = {"mobile": "laptop", **{f"sxm{version}": "sxm" for version in range(2, 7)}}
_NOTHING = frozenset(
    (
        *("nvidia", "geforce", "tesla", "amd", "ati", "radeon", "instinct", "intel", "apple", "core"),
        *("gpu", "graphics", "processor", "generation", "workstation", "edition", "design", "with", "w"),
    )
)
_GIGABYTES = frozenset(("g", "gb", "gib"))
DETAIL = re.compile(r"\d+gb|\d+c|pcie|sxm|nvl|hbm\d?e?|gddr\d+x?|lpddr\d+x?|ddr\d+")
"""Words that tell variants of one product apart: memory, GPU cores of Apple chips, form."""


def normalise(name: str) -> str:
    """As `plain`, without makers' and trade words, and with one spelling of sizes and forms."""
    text = _GPU_CORES.sub(r"\1c", _MARKS.sub(" ", _APPLE_CORES.sub(r"\1\2c", name.casefold())))
    words: list[str] = []
    for word in plain(text).split():
        if word in _GIGABYTES and words and words[-1].isdigit():
            words[-1] += "gb"
        elif word not in _NOTHING:
            words.append(_SAME.get(word, word))
    normal = " ".join(words)
    return normal if normal == name else normalise(normal)
