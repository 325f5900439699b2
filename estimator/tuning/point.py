"""What was measured under one power limit."""

from msgspec import Struct


class Rate(Struct, frozen=True, kw_only=True):
    """Tokens/s over all streams, with what is known of its error."""

    tps: float
    error_tps: float | None = None
    """Standard error of the mean; None while there are too few blocks to tell."""
    blocks: int = 0
    """Stretches of equal length that the error is told from."""


class Point(Struct, frozen=True, kw_only=True):
    """One stay at one limit, after it had settled."""

    power_limit_w: float
    """Of the first device; others that move in step stand at the same share of their highest limit."""
    power_w: float | None = None
    """Drawn by all devices that are tuned, together."""
    decode: Rate | None = None
    prefill: Rate | None = None
    joules_per_token: float | None = None
    """Over generated tokens; over prompt tokens where only prefill was measured."""
    sm_clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    temperature_c: float | None = None
    throttled_share: float | None = None
    """Share of the readings in which the power limit held the clocks down, 0-1."""
    other_throttles: tuple[str, ...] = ()
    """What else held them down: "too hot"."""
    streams: float | None = None
    """Requests that were running, on average."""
    context_tokens: float | None = None
    idle_share: float | None = None
    """Share of the time in which nothing was generated, 0-1."""
    started: float
    """Monotonic seconds."""
    seconds: float
    samples: int
    """Readings of the engine that went into it."""
