"""Which of a device's power limits llmtop sets."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..device import Device, PowerLimit
from ..hardware.files import ROOT
from .contract import Limit
from .file import FileLimit, lasting
from .nvml import NvmlLimit

_PACKAGE = re.compile(r"(package(?: \d+)?(?: die \d+)?)(?: MMIO)? long term")
_INTEL = re.compile(r"power\d+_max")
_LONG_TERM = " long term"
_NOTHING_W = float("inf")
"""Of a package that mainboards leave without a limit: one can be set all the same."""


def limits_of(device: Device, root: Path = ROOT) -> tuple[Limit, ...]:
    """Those that are to be set together, one a package for a CPU; empty where nothing can be set.

    Whether this user may set them says `may_set`. Nothing is opened or read before a limit is used.
    """
    chosen = _chosen(device)
    return tuple(_limit(device, limit, root, several=len(chosen) > 1) for limit in chosen)


def may_set(device: Device) -> bool | None:
    """Whether this user may; None where only trying would tell."""
    told = [limit.writable for limit in _chosen(device)]
    if not told or False in told:
        return False
    return None if None in told else True


def why_not(device: Device) -> str | None:
    """Why nothing of it can be set, in a line; None where something can."""
    if _chosen(device):
        return None
    if device.parent is not None:
        return f"{device.name} is a part of {device.parent}: the power limit is that of the whole"
    if device.kind == "apple":
        return f"{device.name}: macOS lets nobody set the power of Apple's chips"
    if any(limit.where == "nvpmodel" for limit in device.limits):
        return f"{device.name}: its power goes by modes, one of which sudo nvpmodel -m NUMBER sets"
    if device.problem is not None:
        return f"{device.name}: {device.problem}"
    if device.vendor == "NVIDIA" and device.kind == "gpu" and device.limits:
        board = device.limits[0]
        if board.min_w is not None and board.min_w == board.max_w:
            return f"{device.name}: {board.min_w:g} W is the only power limit that its vendor allows"
        return f"{device.name}: the firmware sets its power limit, as in laptops; the driver takes none"
    if device.kind == "cpu" and not device.limits:
        return f"{device.name}: the kernel knows no power limit of it (RAPL); those of AMD have none there"
    return f"{device.name}: its driver has no power limit that can be set"


def _chosen(device: Device) -> tuple[PowerLimit, ...]:
    if device.parent is not None or device.kind == "apple":
        return ()
    if device.kind == "cpu":
        return _of_packages(device.limits)
    if device.vendor == "NVIDIA":
        return tuple(limit for limit in device.limits if device.uuid is not None and _of_board(limit))[:1]
    if device.vendor == "AMD":
        return tuple(limit for limit in device.limits if Path(limit.where).name == "power1_cap")[:1]
    if device.vendor == "Intel":
        sustained = [limit for limit in device.limits if limit.value_w and _INTEL.fullmatch(Path(limit.where).name)]
        return tuple(limit for limit in sustained if limit.name.endswith(_LONG_TERM))[:1]
    return ()


def _of_board(limit: PowerLimit) -> bool:
    """Whether it can be moved at all: that of a laptop has no range, and of some servers one without width."""
    if limit.where != "NVML" or limit.name != "board" or limit.min_w is None or limit.max_w is None:
        return False
    return limit.min_w < limit.max_w


def _of_packages(limits: Sequence[PowerLimit]) -> tuple[PowerLimit, ...]:
    """The long-term one of each package, of two (MSR and MMIO) the one that holds; or those of Grace's sockets."""
    found: dict[str, PowerLimit] = {}
    for limit in sorted(limits, key=lambda each: each.value_w or _NOTHING_W):
        match = _PACKAGE.fullmatch(limit.name)
        if match and (limit.value_w is not None or limit.default_w is not None):
            found.setdefault(match[1], limit)
    sockets = (each for each in limits if each.value_w is not None and Path(each.where).name == "power1_cap")
    return tuple(found[package] for package in sorted(found)) or tuple(sockets)


def _limit(device: Device, limit: PowerLimit, root: Path, *, several: bool) -> Limit:
    if limit.where == "NVML":
        return NvmlLimit(
            device.uuid or "",
            device.id,
            device.name,
            min_w=limit.min_w,
            max_w=limit.max_w,
            default_w=limit.default_w,
        )
    part = limit.name.removesuffix(_LONG_TERM).replace(" MMIO", "")
    where = Path(limit.where)
    return FileLimit(
        lasting(where if where.is_relative_to(root) else root / where.relative_to("/")),
        device.id,
        f"{device.name} {part}" if several else device.name,
        min_w=limit.min_w,
        max_w=limit.max_w,
        default_w=limit.default_w,
    )
