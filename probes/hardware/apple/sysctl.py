"""What a chip of Apple is, by one call of `sysctl`, which prints the keys that it knows and leaves out the others.

`kern.hv_vmm_present` is 1 in a virtual machine. A process that Rosetta translates is told "VirtualApple @ 2.50GHz" for
the chip.
"""

import re

from msgspec import Struct

from .command import Run

_ARM = "hw.optional.arm64"
_CHIP = "machdep.cpu.brand_string"
_VIRTUAL = "kern.hv_vmm_present"
_SYSTEM = "kern.osproductversion"
_WIRED = "iogpu.wired_limit_mb"
_KEYS = (_ARM, _CHIP, _VIRTUAL, _SYSTEM, _WIRED)
_SILICON = re.compile(r"Apple (M\d+)\b")


class Chip(Struct, frozen=True, kw_only=True):
    """What does not change while the machine runs."""

    name: str | None = None
    """"Apple M3 Max"; None where only the GPU's driver tells it."""
    arm: bool = False
    """Whether it is Apple silicon, and no Intel Mac."""
    virtual: bool = False
    """Whether this is a virtual machine."""
    system: str | None = None
    """Version of macOS: "26.5.1"."""
    wired_limit_bytes: int | None = None
    """What somebody let the GPU have of the memory; None while macOS decides."""


def read_chip(run: Run) -> Chip:
    """Asks once, in some milliseconds."""
    told = _values(run(["/usr/sbin/sysctl", *_KEYS]).decode("utf-8", "replace"))
    name = told.get(_CHIP, "")
    wired_mib = _number(told.get(_WIRED))
    return Chip(
        name=name if _SILICON.match(name) else None,
        arm=told.get(_ARM) == "1",
        virtual=told.get(_VIRTUAL) == "1" or "(Virtual)" in name,
        system=told.get(_SYSTEM) or None,
        wired_limit_bytes=wired_mib << 20 if wired_mib else None,
    )


def generation(name: str) -> str | None:
    """Of "Apple M3 Max" it is "M3"."""
    found = _SILICON.match(name)
    return found[1] if found else None


def _values(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}


def _number(text: str | None) -> int | None:
    """None for what is no number, and for 0, which stands for none of it here."""
    return (int(text) or None) if text and text.isascii() and text.isdigit() and len(text) < 12 else None
