"""The step counter of llama-server's /metrics, which moves while a long answer is still being written.

`n_decode_total` counts steps and `n_busy_slots_per_decode` is the mean number of slots in a step since the start; their
product is the number of slot-steps, which follows the tokens generated (454 against 450 in a run with 300 steps; the
excess is prefill). The mean has six significant digits, so the product may waver: it is held from falling.
"""

from msgspec import Struct

from ..exposition import parse

WANTED = (
    "llamacpp:n_decode_total",
    "llamacpp:n_busy_slots_per_decode",
    "llamacpp:prompt_tokens_total",
    "llamacpp:requests_processing",
    "llamacpp:requests_deferred",
)


class Steps(Struct, frozen=True):
    """One reading of the counter; None for what an older build does not tell."""

    tokens: float | None
    prompt_tokens: float | None
    running: float | None
    waiting: float | None


class StepCount:
    """Slot-steps that only grow, unless the server was restarted."""

    def __init__(self) -> None:
        self._steps = self._tokens = 0.0

    def read(self, body: bytes) -> Steps:
        """Takes one body of `GET /metrics`; raises BadExposition when it is none."""
        series = parse(body, WANTED)
        steps, mean = series.total(WANTED[0]), series.total(WANTED[1])
        tokens = None
        if steps is not None and mean is not None:
            tokens = steps * mean if steps < self._steps else max(steps * mean, self._tokens)
            self._steps, self._tokens = steps, tokens
        return Steps(tokens, series.total(WANTED[2]), series.total(WANTED[3]), series.total(WANTED[4]))
