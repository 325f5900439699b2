"""Stretches of equal length, and what they say of the error of their mean."""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from .point import Rate

LEAST_BLOCKS = 3
"""Fewer say nothing of the error."""
ALIKE = 0.3
"""Correlation of neighbours from which blocks are too short: the error that they tell would be too small."""
LEAST_MERGED = 4
"""Blocks that merging leaves at least."""
MOST_BLOCKS = 128
"""Kept at most; from there on two become one, so that hours take no more memory than minutes."""
_HALF_A_TOKEN = 1 / 6
"""Variance, in tokens², of a count in whole tokens that is read at two moments, each off by 0 to 1 token."""


class Block(Struct, frozen=True):
    """What happened in one stretch."""

    seconds: float
    tokens: float
    joules: float | None = None
    """Drawn in the same seconds; None where that is not known."""
    idle_s: float = 0.0
    """The part of it in which nothing was generated."""

    def joined(self, other: "Block") -> "Block":
        """Both as one; energy that is known of one of them only is that of no block."""
        known = self.joules is not None and other.joules is not None
        return Block(
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            (self.joules or 0.0) + (other.joules or 0.0) if known else None,
            self.idle_s + other.idle_s,
        )


class Blocks:
    """Keeps a bounded number of blocks and their sum."""

    def __init__(self, least_s: float = 0.0) -> None:
        """`least_s`: what is put in shorter pieces fills a block together."""
        self._least_s = least_s
        self._full: list[Block] = []
        self._open: Block | None = None
        self._in_open = 0
        self._size = 1
        """Stretches that one block is made of now, at least."""
        self.total: Block | None = None
        """All of them as one."""
        self._metered: Block | None = None
        """Those of them whose energy is known."""

    def put(self, block: Block) -> None:
        """Adds the next stretch."""
        self.total = block if self.total is None else self.total.joined(block)
        if block.joules is not None:
            self._metered = block if self._metered is None else self._metered.joined(block)
        self._open = block if self._open is None else self._open.joined(block)
        self._in_open += 1
        if self._in_open < self._size or self._open.seconds < self._least_s * self._size:
            return
        self._full.append(self._open)
        self._open, self._in_open = None, 0
        if len(self._full) >= MOST_BLOCKS:
            self._full = _pairs(self._full)
            self._size *= 2

    @property
    def rate(self) -> Rate | None:
        """Mean over all seconds with its standard error; None while there is nothing."""
        total = self.total
        if total is None or total.seconds <= 0:
            return None
        error, blocks = standard_error(self._full)
        if error is not None:
            error = math.sqrt(error**2 + _HALF_A_TOKEN / total.seconds**2)
        return Rate(tps=total.tokens / total.seconds, error_tps=error, blocks=blocks)

    @property
    def power_w(self) -> float | None:
        """Mean draw over the blocks whose energy is known."""
        metered = self._metered
        return metered.joules / metered.seconds if metered and metered.joules is not None else None

    @property
    def joules_per_token(self) -> float | None:
        """Energy over tokens of the same seconds."""
        metered = self._metered
        return metered.joules / metered.tokens if metered and metered.joules is not None and metered.tokens else None

    @property
    def idle_share(self) -> float | None:
        """Share of the time in which nothing was generated, 0-1."""
        return self.total.idle_s / self.total.seconds if self.total and self.total.seconds > 0 else None

    @property
    def unevenness(self) -> float | None:
        """Standard deviation of the blocks over their mean; None while there are too few."""
        rates = [block.tokens / block.seconds for block in self._full]
        mean = sum(rates) / len(rates) if rates else 0.0
        if len(rates) < LEAST_BLOCKS or not mean:
            return None
        return math.sqrt(sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)) / mean


def standard_error(blocks: Sequence[Block]) -> tuple[float | None, int]:
    """The standard error of tokens/s over all blocks, and how many blocks it is told from in the end.

    Batch means (Law & Carson 1979): while neighbours are alike, two become one. Where that would leave too few, the
    error is widened as for an autoregressive series, by sqrt((1 + r) / (1 - r)).
    """
    while len(blocks) >= 2 * LEAST_MERGED and _likeness(blocks) > ALIKE:
        blocks = _pairs(blocks)
    count = len(blocks)
    if count < LEAST_BLOCKS:
        return None, count
    seconds = sum(block.seconds for block in blocks)
    mean = sum(block.tokens for block in blocks) / seconds
    spread = sum((block.tokens - mean * block.seconds) ** 2 for block in blocks)
    error = math.sqrt(spread * count / (count - 1)) / seconds
    likeness = min(_likeness(blocks), 0.9)
    return error * math.sqrt((1 + likeness) / (1 - likeness)) if likeness > ALIKE else error, count


def _likeness(blocks: Sequence[Block]) -> float:
    """Correlation of neighbours, -1 to 1; 0 where all are the same."""
    rates = [block.tokens / block.seconds for block in blocks]
    mean = sum(rates) / len(rates)
    off = [rate - mean for rate in rates]
    spread = sum(each * each for each in off)
    return sum(one * after for one, after in pairwise(off)) / spread if spread > 0 else 0.0


def _pairs(blocks: Sequence[Block]) -> list[Block]:
    """Each two as one; the oldest is left out where their number is odd."""
    blocks = blocks[len(blocks) % 2 :]
    return [one.joined(other) for one, other in zip(blocks[::2], blocks[1::2], strict=True)]
