"""Prompts that were read in, and how fast: several at a time share the engine."""

from collections import deque

from ...probes.sample import Engine
from .meter_blocks import Block, Blocks
from .point import Rate

KEPT = 32
"""Times in which prompts were read in, newest last; older ones overlap with nothing that is still to come."""


class Prompts:
    """The prefill rate of one stay, from what clients saw or the engine tells of itself."""

    def __init__(self, block_s: float) -> None:
        self._block_s = block_s
        self._blocks = Blocks(block_s)
        self._busy: deque[tuple[float, float]] = deque(maxlen=KEPT)
        """Apart from each other, in order."""
        self._told: float | None = None
        self._tokens: float | None = None
        self._seen_by_clients = False

    @property
    def rate(self) -> Rate | None:
        """Prompt tokens over the time in which any prompt was read in."""
        return self._blocks.rate

    def add(self, time: float, tokens: float, seconds: float) -> None:
        """A prompt of so many tokens that was read in, in so many seconds, the last of them `time`."""
        if not self._seen_by_clients:
            self.begin()
            self._seen_by_clients = True
        start = time - seconds
        new = seconds
        around, apart = [(start, time)], list[tuple[float, float]]()
        for begun, ended in self._busy:
            overlap = min(ended, time) - max(begun, start)
            new -= max(overlap, 0.0)
            (around if overlap >= 0 else apart).append((begun, ended))
        whole = min(begun for begun, _ in around), max(ended for _, ended in around)
        self._busy = deque(sorted([*apart, whole]), maxlen=KEPT)
        if tokens > 0:  # of those that are read in together, the later ones seem to take no time
            self._blocks.put(Block(max(new, 0.0), tokens))

    def told(self, reading: Engine, *, counts: bool) -> None:
        """What the engine says of prompts that it has read in; nothing where clients tell."""
        before, self._told = self._told, reading.last_prefill_tps
        tokens, self._tokens = self._tokens, reading.prefill_tokens
        if self._seen_by_clients or not counts:
            return
        ended = reading.last_prefill_tps if before is not None and reading.last_prefill_tps != before else None
        tps = reading.prefill_tps or ended
        if not tps:
            return
        grown = reading.prefill_tokens - tokens if reading.prefill_tokens is not None and tokens is not None else 0.0
        self._blocks.put(Block(grown / tps, grown) if grown > 0 else Block(1.0, tps))

    def begin(self) -> None:
        """A new stay."""
        self._blocks, self._seen_by_clients = Blocks(self._block_s), False
        self._busy.clear()
