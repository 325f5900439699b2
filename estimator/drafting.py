"""Speculative decoding of one engine over time: what its counters say of the last seconds."""

from ..probes.sample import Engine
from .rate import Rate
from .speculative import Speculation, observed


class Drafting:
    """Folds the counters of drafts, all over the same window."""

    def __init__(self, window: float) -> None:
        self._counters = [Rate(window) for _ in range(4)]

    def add(self, time: float, reading: Engine | None) -> None:
        """Takes one reading; None for an engine that does not answer."""
        counts = (
            (reading.drafts, reading.drafted_tokens, reading.accepted_tokens, reading.decode_tokens)
            if reading
            else (None,) * 4
        )
        for counter, count in zip(self._counters, counts, strict=True):
            counter.add(time, count)

    @property
    def speculation(self) -> Speculation | None:
        """What a step does on average; None without drafts."""
        drafts, drafted, accepted, generated = (counter.per_second for counter in self._counters)
        return observed(drafts, drafted, accepted, generated)
