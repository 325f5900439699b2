"""Tokens of one engine, and the joules that were drawn for it, since it is watched."""

from collections.abc import Mapping

from msgspec import Struct

from ..probes.sample import Engine
from .energy import Energy, hole
from .flow import MOST_TPS, is_another
from .snapshot import EngineSession

ALIVE = frozenset({"ok", "idle"})
ALIKE = 0.01
"""How far a share may move across a hole and count as the same throughout."""


class _Mark(Struct, frozen=True, kw_only=True):
    """Where a stretch begins."""

    time: float
    tokens: float
    at_rest: bool
    shares: Mapping[str, float]
    settled: Mapping[str, tuple[float, float, float]]
    """By device: joules, seconds of gaps, and until when both are settled."""


class Session:
    """Sums up one engine in little and constant memory.

    Its time is cut into stretches, from one of its readings to the next for which every device that serves it has told
    its energy. A stretch brings its tokens and its share of the devices' joules together, whether it worked or not, or
    neither: where a device left a gap, it is not known whose work a device did, or the engine's count began anew.
    Tokens counted at the end of a request fall into a later stretch than their joules: the sums are right.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0
        self._before: Engine | None = None
        self._tokens: float | None = None
        self._prefill: float | None = None
        self._counts: tuple[float | None, float | None] = (None, None)
        self._joules = self._idle_joules = self._covered = self._seconds = 0.0
        self._period = 0.0
        self._mark: _Mark | None = None

    def add(
        self,
        time: float,
        period: float,
        reading: Engine,
        shares: Mapping[str, float] | None,
        energies: Mapping[str, Energy],
    ) -> None:
        """Takes one reading.

        Args:
            time: monotonic seconds.
            period: seconds to the next one.
            reading: what the engine says.
            shares: by id, the part of each device that serves it which works for it; None where that is not known.
            energies: of all devices, by id.
        """
        if reading.status == "unreachable":
            return  # what it did meanwhile is told when it is back
        if reading.status not in ALIVE:
            self._mark = None
            return
        self._first = time if self._first is None else self._first
        self._last, self._period = time, period
        if not self._count(reading):
            self._mark = None
        if reading.decode_tokens is None or self._tokens is None:
            return
        if not shares or any(name not in energies or energies[name].time is None for name in shares):
            self._mark = None
            return
        now = self._begin(time, reading, self._tokens, shares, energies)
        mark = self._mark
        if mark is None or mark.shares.keys() != now.shares.keys():
            self._mark = now
        elif all(now.settled[name][2] > mark.settled[name][2] for name in now.settled):
            self._close(mark, now, hole(period))
            self._mark = now

    @property
    def told(self) -> EngineSession:
        """What is known by now."""
        known = self._seconds > 0.0
        joules = self._joules if known else None
        waits = self._last - self._mark.time if self._mark else 0.0
        elapsed = self._last - self._first if self._first is not None else 0.0
        gap = elapsed - self._seconds - (waits if waits <= hole(self._period) else 0.0)
        return EngineSession(
            tokens=self._tokens,
            prefill_tokens=self._prefill,
            seconds=self._seconds,
            gap_s=max(gap, 0.0),
            joules=joules,
            idle_joules=self._idle_joules if known else None,
            joules_per_token=joules / self._covered if joules is not None and self._covered >= 1.0 else None,
        )

    def _begin(
        self, time: float, reading: Engine, tokens: float, shares: Mapping[str, float], energies: Mapping[str, Energy]
    ) -> _Mark:
        told = {name: energies[name] for name in shares}
        return _Mark(
            time=time,
            tokens=tokens,
            at_rest=reading.status == "idle",
            shares=shares,
            settled={name: (energy.joules, energy.gap_s, energy.time or 0.0) for name, energy in told.items()},
        )

    def _close(self, mark: _Mark, now: _Mark, longest: float) -> None:
        seconds, tokens = now.time - mark.time, now.tokens - mark.tokens
        if tokens > MOST_TPS * seconds:
            return
        joules = 0.0
        for name, (spent, gaps, _) in now.settled.items():
            share, before = now.shares[name], mark.settled[name]
            if gaps > before[1] or (seconds > longest and abs(share - mark.shares[name]) > ALIKE):
                return
            joules += share * (spent - before[0])
        self._seconds += seconds
        self._joules += joules
        self._covered += tokens
        if mark.at_rest and now.at_rest and not tokens:
            self._idle_joules += joules

    def _count(self, reading: Engine) -> bool:
        """Adds what the counts have grown by; False where they are no continuation."""
        before, self._before = self._before, reading
        another = before is not None and is_another(before, reading)
        decode, prefill = (None, None) if another else self._counts
        counts = reading.decode_tokens, reading.prefill_tokens
        self._counts = (
            decode if counts[0] is None else counts[0],
            prefill if counts[1] is None else counts[1],
        )
        self._tokens, goes_on = _sum(self._tokens, decode, counts[0])
        self._prefill, _ = _sum(self._prefill, prefill, counts[1])
        return goes_on and not another


def _sum(total: float | None, before: float | None, now: float | None) -> tuple[float | None, bool]:
    """A sum with the growth of a count, and whether that count went on."""
    if now is None:
        return total, True
    if before is None or now < before:
        return total or 0.0, before is None
    return (total or 0.0) + now - before, True
