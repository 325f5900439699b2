"""Whether a limit is so far from what is asked for that measuring longer cannot change the answer."""

from .error import of_rate
from .point import Rate

MARGINS = 3.0
"""Distance in margins of the limit's own error."""
OF_LOSS = 0.5
"""And this share of the loss allowed besides: the speed at the highest limit has an error too, and drifts."""


def clear(rate: Rate, top: Rate, keep: float) -> bool:
    """Whether the speed at a limit surely is enough, or surely is not, against the last one at the highest limit."""
    margin = of_rate(rate).margin
    if margin is None:
        return False
    return abs(rate.tps / top.tps - keep) >= MARGINS * margin / top.tps + OF_LOSS * (1.0 - keep)
