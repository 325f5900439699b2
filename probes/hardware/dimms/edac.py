"""Memory channels from the kernel's error counters, which everybody may read. They tell no speed.

Layout: Documentation/ABI/testing/sysfs-devices-edac in Linux: `mc/mcN/dimmM/size` in MiB, `dimm_location` as
"channel 0 slot 1 " or "csrow 2 channel 0 ", `dimm_mem_type` as "Registered-DDR4". Only what is populated is shown, and
AMD's driver shows the ranks of a module apart.
"""

import re
from pathlib import Path

from msgspec import Struct

from ..entries import entries
from ..files import ROOT, read_number, read_text


class EdacMemory(Struct, frozen=True):
    """What the counters tell."""

    channels: int
    """With at least one module."""
    type: str | None


def edac_memory(root: Path = ROOT) -> EdacMemory | None:
    """None where no controller counts errors: most desktops, and all virtual machines."""
    channels: set[tuple[str, str]] = set()
    types: set[str] = set()
    for pattern in ("dimm[0-9]*", "rank[0-9]*"):
        for folder in entries(root / "sys/devices/system/edac/mc", f"mc[0-9]*/{pattern}"):
            found = re.search(r"\bchannel (\d+)", read_text(folder / "dimm_location") or "")
            if found and read_number(folder / "size"):
                channels.add((folder.parent.name, found[1]))
                kind = re.search(r"(?:LP)?DDR\d", read_text(folder / "dimm_mem_type") or "")
                types.update({kind[0]} if kind else ())
    return EdacMemory(len(channels), types.pop() if len(types) == 1 else None) if channels else None
