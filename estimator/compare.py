"""Machines side by side: which is faster, thriftier or cheaper for its speed, as far as the bands allow to say so."""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from .offers import Offer
from .snapshot import Band


class Entry(Struct, frozen=True, kw_only=True):
    """One model in one quantisation on one of the machines."""

    offer: Offer
    price: float | None = None
    """Of the machine, in any money."""

    @property
    def tps(self) -> Band | None:
        """Expected decode rate; None where it does not fit, or generates nothing."""
        found = self.offer.found
        return found.decode_tps if found and not self.offer.reads_only else None

    @property
    def tokens_per_joule(self) -> Band | None:
        """Tokens/s per watt of the devices, without the host's; the band is that of the speed alone."""
        draw = self.offer.found.draw if self.offer.found else None
        return _divided(self.tps, draw.power_w if draw else None)

    @property
    def tps_per_money(self) -> Band | None:
        """Tokens/s per unit of money."""
        return _divided(self.tps, self.price)


class Match(Struct, frozen=True, kw_only=True):
    """How one measure of one model compares; entries are named by their place."""

    known: tuple[int, ...]
    """Those that have it, the best first."""
    winner: int | None
    """The best, where its whole band lies above those of all others, or no other has the measure."""
    factor: float | None
    """How many times the second's value; None without a second."""


class Total(Struct, frozen=True, kw_only=True):
    """One measure over all rows that every machine has it for."""

    rows: int
    won: tuple[int, ...]
    """By machine: rows that it wins for certain."""
    factors: tuple[float | None, ...]
    """By machine: the median over the rows of its value over the best of the others."""
    winner: int | None
    """Who wins more than half of the rows for certain, while nobody else wins any."""


def match(bands: Sequence[Band | None]) -> Match:
    """Compares one measure; more is better."""
    known = sorted((at for at, band in enumerate(bands) if band), key=lambda at: -_value(bands[at]))
    if not known:
        return Match(known=(), winner=None, factor=None)
    first, rest = bands[known[0]], [bands[at] for at in known[1:]]
    clear = first is not None and all(other is not None and first.low > other.high for other in rest)
    factor = _value(first) / _value(rest[0]) if rest else None
    return Match(known=tuple(known), winner=known[0] if clear else None, factor=factor)


def total(rows: Sequence[Sequence[Band | None]]) -> Total:
    """Sums up one measure over rows of one entry a machine."""
    whole = [row for row in rows if row and all(row)]
    machines = len(rows[0]) if rows else 0
    won = [0] * machines
    for row in whole:
        found = match(row).winner
        if found is not None:
            won[found] += 1
    factors = [_factor(whole, at) for at in range(machines)]
    best = max(range(machines), key=lambda at: won[at], default=None)
    alone = best is not None and 2 * won[best] > len(whole) and sum(won) == won[best]
    return Total(rows=len(whole), won=tuple(won), factors=tuple(factors), winner=best if alone else None)


def _factor(rows: Sequence[Sequence[Band | None]], at: int) -> float | None:
    found = [
        _value(row[at]) / max(_value(band) for other, band in enumerate(row) if other != at)
        for row in rows
        if len(row) > 1
    ]
    return median(found) if found else None


def _value(band: Band | None) -> float:
    return band.value if band else 0.0


def _divided(band: Band | None, by: float | None) -> Band | None:
    if band is None or not by:
        return None
    return replace(band, value=band.value / by, low=band.low / by, high=band.high / by)
