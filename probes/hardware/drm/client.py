"""What Linux tells of one open file of a graphics card.

Layout: `/proc/PID/fdinfo/FD`, a key and a value a line (Documentation/gpu/drm-usage-stats.rst): `drm-pdev` is the card,
`drm-client-id` is one for all copies of an open file, `drm-resident-REGION` what lies in a memory now, which amdgpu
calls `drm-memory-REGION` before Linux 6.13; `drm-total-REGION` may lie elsewhere. An engine has worked
`drm-engine-NAME` nanoseconds for it, or `drm-cycles-NAME` of `drm-total-cycles-NAME` (xe);
`drm-engine-capacity-NAME` engines of one kind count together.
"""

import re
from collections import defaultdict

from msgspec import Struct

_NUMBER = re.compile(r"[0-9]{1,20}")
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}
_BETTER = ("drm-total-", "drm-memory-", "drm-resident-")
"""Ways in which memory is told, the best last."""


class Engine(Struct, frozen=True):
    """Work of one kind of engine for one client."""

    busy: int
    total: int | None = None
    """Of which `busy` is a part; None: nanoseconds, to be held against the clock."""
    capacity: int = 1


class DrmClient(Struct, frozen=True, kw_only=True):
    """One open file, or several that are one."""

    card: str
    """The PCI address."""
    number: str
    memory: dict[str, int]
    """Bytes by region: "vram", "gtt", "local0"."""
    engines: dict[str, Engine]


def drm_client(text: str) -> DrmClient | None:
    """Of the content of an `fdinfo` file; None where it is none of a card, or of a kernel that tells nothing yet."""
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    card, number = told.get("drm-pdev"), told.get("drm-client-id")
    if not card or not number:
        return None
    memory: dict[str, int] = {}
    for prefix in _BETTER:
        memory |= {key[len(prefix) :]: size for key, size in _sizes(told) if key.startswith(prefix)}
    memory = {region: size for region, size in memory.items() if not region.startswith("cycles-")}
    return DrmClient(card=card, number=number, memory=memory, engines=_engines(told))


def _sizes(told: dict[str, str]) -> list[tuple[str, int]]:
    return [(key, size) for key, value in told.items() if (size := _bytes(value)) is not None]


def _bytes(value: str) -> int | None:
    number, _, unit = value.partition(" ")
    scale = _UNITS.get(unit.strip())
    return int(number) * scale if _NUMBER.fullmatch(number) and scale else None


def _engines(told: dict[str, str]) -> dict[str, Engine]:
    parts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for key, value in told.items():
        number = value.split(" ", 1)[0]
        if _NUMBER.fullmatch(number):
            for prefix in ("drm-engine-capacity-", "drm-total-cycles-", "drm-cycles-", "drm-engine-"):
                if key.startswith(prefix):
                    parts[key[len(prefix) :]][prefix] = int(number)
                    break
    found: dict[str, Engine] = {}
    for name, part in parts.items():
        capacity = max(part.get("drm-engine-capacity-", 1), 1)
        if "drm-cycles-" in part and "drm-total-cycles-" in part:
            found[name] = Engine(part["drm-cycles-"], part["drm-total-cycles-"], capacity)
        elif "drm-engine-" in part:
            found[name] = Engine(part["drm-engine-"], None, capacity)
    return found
