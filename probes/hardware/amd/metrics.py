"""The table that the firmware of AMD GPUs fills in: `gpu_metrics`, in the versions whose fields are documented.

Layout, units and meaning: drivers/gpu/drm/amd/include/kgd_pp_interface.h in Linux. A header has the size in bytes (16
bit), the format and the content (8 bit each): format 1 is that of cards (content 4 and later: Instinct MI300 and its
successors), formats 2 and 3 are those of APUs. Content 9 of format 1 has its fields behind each other, each after a
number that says which it is. A field of which all bits are set is not filled in.
"""

import struct

from msgspec import Struct

_ENERGY_J = 2.0**-16
"""Of one count of the energy (15.259 microjoules)."""
_COUNTS_ENERGY = ("gfx90a", "gfx94", "gfx95")
"""Whose count has that unit: for content 4 and later the table says so, for MI200 smu13_driver_if_aldebaran.h. On
other cards it is not documented, or stands at 0."""

_Q, _I, _H = "<Q", "<I", "<H"
_ACCELERATOR = ("prochot", "ppt", "thermal", "regulator", "memory")
"""Counts of cycles in which something held the clocks down, beside the count of all cycles."""


def _counts(start: int) -> dict[str, tuple[int, str]]:
    return {name: (start + 4 * place, _I) for place, name in enumerate(("cycles", *_ACCELERATOR))}


_CARD = {"energy": (24, _Q)}
_APU = ("prochot", "spl", "fppt", "sppt", "core", "graphics", "soc")
_FIELDS: dict[tuple[int, int], dict[str, tuple[int, str]]] = {
    (1, 1): _CARD,
    (1, 2): _CARD,
    (1, 3): {**_CARD, "throttling": (112, _Q)},
    (1, 4): {"energy": (24, _Q), "lanes": (52, _H), "rate": (54, _H)},
    (1, 5): {"energy": (88, _Q), "lanes": (116, _H), "rate": (118, _H)},
    (1, 6): {"energy": (16, _Q), **_counts(32), "lanes": (64, _H), "rate": (66, _H)},
    (1, 7): {"bandwidth": (16, _Q), "energy": (24, _Q), **_counts(40), "lanes": (72, _H), "rate": (74, _H)},
    (1, 8): {"bandwidth": (16, _Q), "energy": (24, _Q), **_counts(40), "lanes": (72, _H), "rate": (74, _H)},
    (2, 2): {"throttling": (120, _Q)},
    (2, 3): {"throttling": (120, _Q)},
    (2, 4): {"throttling": (120, _Q)},
    (3, 0): {name: (228 + 4 * place, _I) for place, name in enumerate(_APU)},
}
"""Where fields stand and how wide they are, by format and content."""

_LISTED = {6: "bandwidth", 7: "energy", 9: "cycles", 10: "prochot", 11: "ppt", 12: "thermal", 13: "regulator"} | {
    14: "memory",
    18: "lanes",
    19: "rate",
}
"""AMDGPU_METRICS_ATTR_ID_*: the numbers of fields in content 9."""
_SIZES = (1, 1, 2, 2, 4, 4, 8, 8)
"""Bytes of AMDGPU_METRICS_TYPE_*."""


class AmdMetrics(Struct, frozen=True, kw_only=True):
    """What of the table is used."""

    apu: bool
    """Whether it is the table of an APU."""
    energy_j: float | None = None
    """Since an origin that stays."""
    throttling: int | None = None
    """Why the clocks are held down, a bit each (SMU_THROTTLER_*_BIT of amdgpu_smu.h)."""
    counts: dict[str, int] = {}
    """How long something has held the clocks down, by what it was; "cycles" is all time, where that is counted."""
    bandwidth_gbs: float | None = None
    """Peak of the memory."""
    link_gbs: float | None = None
    """Of one xGMI link in one direction."""


def amd_metrics(table: bytes, target: str | None = None) -> AmdMetrics | None:
    """Of the content of `gpu_metrics`; None where it is none. `target` is the GPU, as "gfx90a"."""
    if len(table) < 4:
        return None
    size, format_, content = struct.unpack_from("<HBB", table)
    if not 4 < size <= len(table):
        return None
    if (format_, content) == (1, 9):
        values = _listed(table[:size])
    else:
        fields = _FIELDS.get((format_, content), {})
        values = {name: _number(table[:size], *place) for name, place in fields.items()}
    told = {name: value for name, value in values.items() if value is not None}
    energy = told.get("energy") if (target or "").startswith(_COUNTS_ENERGY) else None
    rate, lanes = told.get("rate"), told.get("lanes")
    return AmdMetrics(
        apu=format_ in {2, 3},
        energy_j=energy * _ENERGY_J if energy else None,
        throttling=told.get("throttling"),
        counts={name: told[name] for name in ("cycles", *_ACCELERATOR, *_APU) if name in told},
        bandwidth_gbs=told.get("bandwidth") or None,
        link_gbs=lanes * rate / 8 if lanes and rate else None,
    )


def _number(table: bytes, offset: int, form: str) -> int | None:
    size = struct.calcsize(form)
    if offset + size > len(table):
        return None
    value: int = struct.unpack_from(form, table, offset)[0]
    return value if value != (1 << 8 * size) - 1 else None


def _listed(table: bytes) -> dict[str, int | None]:
    """Of content 9: how many fields there are, then for each a number with its id, type and length, and its values."""
    found: dict[str, int | None] = {}
    left, place = struct.unpack_from("<i", table, 4)[0] if len(table) >= 8 else 0, 8
    while left > 0 and place + 4 <= len(table):
        code: int = struct.unpack_from(_I, table, place)[0]
        kind, field, length = code >> 20 & 0xF, code >> 10 & 0x3FF, code & 0x3FF
        if kind >= len(_SIZES):
            break
        value = table[place + 4 : place + 4 + _SIZES[kind]]
        if field in _LISTED and len(value) == _SIZES[kind]:
            number = int.from_bytes(value, "little")
            found[_LISTED[field]] = number if number != (1 << 8 * len(value)) - 1 else None
        place += 4 + _SIZES[kind] * length
        left -= 1
    return found
