"""How fast an Intel GPU runs, what holds it down, and how much of the time it was awake.

Layout of i915: `class/drm/cardN/gt/gtM/` with `rps_act_freq_mhz`, `rps_max_freq_mhz`, `rps_RP0_freq_mhz`,
`rc6_residency_ms` and `throttle_reason_*` since Linux 5.19, and `cardN/gt_act_freq_mhz` since long before
(drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c). Layout of xe: `device/tileN/gtM/freq0/` with `act_freq`, `max_freq` and
`rp0_freq` in MHz, `throttle/reason_*` and, in newer ones, `throttle/reasons` with all of them, and beside it
`gtidle/idle_residency_ms` (xe_gt_freq.c, xe_gt_throttle.c, xe_gt_idle.c). A second GT of a tile is for video only.
"""

from pathlib import Path

from msgspec import Struct

from ..drm.card import DrmCard
from ..entries import entries, there
from ..files import read_number, read_text

_REASONS = {
    "clock_limit": "clock limit",
    "pl1": "power cap",
    "pl2": "power cap (short term)",
    "psys_pl1": "power cap of the card",
    "psys_pl2": "power cap of the card (short term)",
    "thermal": "too hot",
    "soc_thermal": "too hot",
    "soc_avg_thermal": "too hot (average)",
    "mem_thermal": "memory too hot",
    "vr_thermalert": "voltage regulators too hot",
    "vr_thermal": "voltage regulators too hot",
    "prochot": "too hot (told by the board)",
    "ratl": "too hot (running average)",
    "pl4": "peak current",
    "iccmax": "peak current",
    "vr_tdc": "current of the voltage regulators",
    "psys_crit": "peak power of the card",
    "fastvmode": "voltage regulators (fast mode)",
}
"""Those that matter most first. "clock_limit" is ours: somebody set the highest clock below what there is. "p0_freq",
the highest clock that there is, is no reason to worry."""

_MOST_MHZ = 10_000


class Pace(Struct, frozen=True, kw_only=True):
    """One reading, of all tiles."""

    clock_mhz: int | None = None
    """0 while it rests."""
    awake: float | None = None
    """Share of the time since the previous reading, 0-1."""
    throttle_reasons: tuple[str, ...] = ()


class IntelClock:
    """Finds the files once. Reading those of xe wakes a card that sleeps."""

    def __init__(self, card: DrmCard) -> None:
        self._card = card
        self._parts = _xe_parts(card.folder) if card.driver == "xe" else _i915_parts(card.folder.parent)
        self._idle_ms: tuple[int, ...] | None = None
        self._when = 0.0

    def stirring(self) -> bool:
        """Whether it runs, where that can be told without keeping it awake: i915 looks only while it is in use."""
        return self._card.driver == "i915" and bool(self._clock_mhz())

    def read(self, now: float) -> Pace:
        """One reading; `now` are seconds."""
        reasons = {reason for part in self._parts for reason in part.reasons()}
        return Pace(
            clock_mhz=self._clock_mhz(),
            awake=self._awake(now),
            throttle_reasons=tuple(dict.fromkeys(words for key, words in _REASONS.items() if key in reasons)),
        )

    def _clock_mhz(self) -> int | None:
        clocks = (read_number(part.clock) for part in self._parts)
        return max((clock for clock in clocks if clock is not None and 0 <= clock <= _MOST_MHZ), default=None)

    def _awake(self, now: float) -> float | None:
        """From the time that all parts rested. One that never did tells nothing: its rest may be switched off."""
        read = [read_number(part.idle_ms) for part in self._parts]
        known = tuple(value for value in read if value)
        before, self._idle_ms = self._idle_ms, known if known and len(known) == len(read) else None
        elapsed_ms, self._when = (now - self._when) * 1e3, now
        if before is None or self._idle_ms is None or elapsed_ms <= 0:
            return None
        rests = [now_ms - before_ms for now_ms, before_ms in zip(self._idle_ms, before, strict=True)]
        if min(rests) < 0:
            return None
        return min(max(1 - sum(rests) / len(rests) / elapsed_ms, 0.0), 1.0)


class _Part:
    """One tile, or the whole of a GPU that is one."""

    def __init__(self, clock: Path, idle_ms: Path, status: Path, reason: str) -> None:
        """`reason` is how the names of the files begin that lie beside `status`."""
        self.clock = clock
        self._limit = clock.with_name(clock.name.replace("act_", "max_"))
        self._most = clock.with_name(clock.name.replace("act_", "rp0_" if reason == "reason_" else "RP0_"))
        self.idle_ms = idle_ms
        self._status = status
        self._all = status.with_name("reasons")
        self._reasons = {file.name.removeprefix(reason): file for file in entries(status.parent, f"{reason}*")}

    def reasons(self) -> list[str]:
        """As the driver calls them; all files are read only while it throttles."""
        limit, most = read_number(self._limit), read_number(self._most)
        own = ["clock_limit"] if limit is not None and most is not None and limit < most else []
        together = read_text(self._all)
        if together is not None:
            return own + together.split()
        if read_number(self._status) == 0:
            return own
        return own + [name for name, file in self._reasons.items() if read_number(file)]


def _xe_parts(folder: Path) -> list[_Part]:
    parts: list[_Part] = []
    for tile in entries(folder, "tile[0-9]*"):
        for gt in entries(tile, "gt[0-9]*")[:1]:
            status = gt / "freq0/throttle/status"
            parts.append(_Part(gt / "freq0/act_freq", gt / "gtidle/idle_residency_ms", status, "reason_"))
    return parts


def _i915_parts(entry: Path) -> list[_Part]:
    """A second GT is a tile only on GPUs that upstream kernels serve with xe, so the first one is all."""
    gt = entry / "gt/gt0"
    status = gt / "throttle_reason_status"
    if there(gt / "rps_act_freq_mhz"):
        return [_Part(gt / "rps_act_freq_mhz", gt / "rc6_residency_ms", status, "throttle_reason_")]
    return [_Part(entry / "gt_act_freq_mhz", entry / "power/rc6_residency_ms", status, "throttle_reason_")]
