"""Whether the load was the same at every limit: only then does the speed tell of the limit."""

from collections.abc import Sequence

from .point import Point
from .steps import Measured, rate_of

APART = 0.1
"""Share by which streams or context may differ between stays, and of a stay that may pass without a token."""
APART_TOKENS = 500.0
"""Tokens of context that each stream may differ by all the same: few against what the weights cost."""
WILD = 0.3
"""Scatter of the blocks of a stay, as a share of its speed, from which its mean says nothing."""


def uneven(points: Sequence[Point], phase: Measured) -> str | None:
    """Why the stays cannot be compared, as half a sentence; None where they can."""
    measured = [(point, rate) for point in points if (rate := rate_of(point, phase)) is not None]
    streams = [point.streams for point, _ in measured]
    contexts = [point.context_tokens for point, _ in measured]
    most = max((each for each in streams if each is not None), default=1.0)
    for name, values, slack in (
        ("requests at once", streams, 0.0),
        ("tokens of context", contexts, APART_TOKENS * max(most, 1.0)),
    ):
        known = [value for value in values if value is not None]
        if known and max(known) > (1.0 + APART) * min(known) and max(known) > min(known) + slack:
            return f"{_plain(min(known))} to {_plain(max(known))} {name}"
    if phase == "decode":
        idle = max((point for point, _ in measured), key=lambda point: point.idle_share or 0.0, default=None)
        if idle is not None and (idle.idle_share or 0.0) > APART:
            share = f"{100.0 * (idle.idle_share or 0.0):.0f} %"
            return f"at {idle.power_limit_w:.0f} W nothing was generated {share} of the time"
    for point, rate in measured:
        scatter = (rate.error_tps or 0.0) * rate.blocks**0.5 / rate.tps
        if scatter > WILD:
            return f"at {point.power_limit_w:.0f} W the speed went up and down by {100.0 * scatter:.0f} %"
    return None


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 10.0 or value == int(value) else f"{value:.1f}"
