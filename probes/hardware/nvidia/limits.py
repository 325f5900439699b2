"""The power limits of one NVIDIA GPU, and whether this user may change them.

The driver lets change them who has CAP_SYS_ADMIN (NV_IS_SUSER in kernel-open/common/inc/nv-linux.h of NVIDIA's open
kernel modules): root, but not the root of an ordinary container.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from msgspec import Struct

from ...sample import PowerLimit
from ..files import ROOT, read_text
from .nvml import NvmlDevice

_RANGE_S = 60.0
"""Seconds between two looks at what the limit may be set to."""
_ENFORCED_S = 5.0
"""Seconds between two looks at what else limits the draw."""
_SYS_ADMIN = 21
"""CAP_SYS_ADMIN of capability.h, a bit of CapEff in proc_pid_status(5)."""


class Limits(Struct, frozen=True, kw_only=True):
    """One reading."""

    value_w: float | None = None
    """The limit that is set; where none can be, as on laptops, the one that the driver enforces."""
    min_w: float | None = None
    max_w: float | None = None
    default_w: float | None = None
    every: tuple[PowerLimit, ...] = ()


class NvidiaLimits:
    """Reads the limit that is set each time, and what changes seldom seldom."""

    def __init__(self, device: NvmlDevice, clock: Callable[[], float], writable: bool | None) -> None:
        """`writable` is what `administrator` says."""
        self._device = device
        self._clock = clock
        self._writable = writable
        self._range: tuple[float | None, float | None, float | None] = (None, None, None)
        self._range_due = self._enforced_due = 0.0
        self._enforced_w: float | None = None
        self._key: object = None
        self._limits = Limits()

    def read(self) -> Limits:
        """One reading; the same object as before where nothing has changed."""
        now = self._clock()
        if now >= self._range_due:
            self._range_due = now + _RANGE_S
            self._range = (*self._constraints(), self._watts("nvmlDeviceGetPowerManagementDefaultLimit"))
        set_w = self._watts("nvmlDeviceGetPowerManagementLimit")
        if now >= self._enforced_due or set_w is None:
            self._enforced_due = now + _ENFORCED_S
            self._enforced_w = self._watts("nvmlDeviceGetEnforcedPowerLimit")
        key = set_w, self._enforced_w, self._range
        if key != self._key:
            self._key = key
            self._limits = self._describe(set_w, self._enforced_w)
        return self._limits

    def _describe(self, set_w: float | None, enforced_w: float | None) -> Limits:
        """The enforced limit is a second one where it is lower, by the firmware of a laptop or out of band."""
        lowest, highest, default = self._range
        value = enforced_w if set_w is None else set_w
        if value is None and highest is None and default is None:
            return Limits()
        adjustable = set_w is not None and lowest is not None and highest is not None and lowest < highest
        board = PowerLimit(
            name="board",
            value_w=value,
            min_w=lowest,
            max_w=highest,
            default_w=default,
            writable=self._writable if adjustable else False,
            where="NVML",
        )
        lower = set_w is not None and enforced_w is not None and enforced_w < set_w
        enforced = PowerLimit(name="enforced by the driver", value_w=enforced_w, writable=False, where="NVML")
        every = (board, enforced) if lower else (board,)
        return Limits(value_w=value, min_w=lowest, max_w=highest, default_w=default, every=every)

    def _constraints(self) -> tuple[float | None, float | None]:
        answer = self._device.ask("nvmlDeviceGetPowerManagementLimitConstraints")
        if not isinstance(answer, list):
            return None, None
        lowest, highest = cast("list[int]", answer)
        return lowest / 1e3, highest / 1e3

    def _watts(self, function: str) -> float | None:
        return self._device.scaled(1e-3, function)


def administrator(root: Path = ROOT) -> bool | None:
    """Whether the driver takes settings from this process; None in WSL, where the driver is that of the host."""
    if "microsoft" in (read_text(root / "proc/sys/kernel/osrelease") or "").lower():
        return None
    for line in (read_text(root / "proc/self/status") or "").splitlines():
        if line.startswith("CapEff:"):
            with suppress(ValueError):
                return bool(int(line.removeprefix("CapEff:"), 16) >> _SYS_ADMIN & 1)
    return os.geteuid() == 0 if hasattr(os, "geteuid") else None
