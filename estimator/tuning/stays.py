"""Several stays at one limit put together."""

from collections.abc import Callable, Sequence

from .error import of_rate, pooled
from .point import Point, Rate


def merged(points: Sequence[Point]) -> Point:
    """One point of all stays at a limit; what counts over time counts by seconds, and what nobody knows stays None."""
    if len(points) == 1:
        return points[0]

    def over_time(read: Callable[[Point], float | None]) -> float | None:
        known = [(value, point.seconds) for point in points if (value := read(point)) is not None]
        total = sum(seconds for _, seconds in known)
        return sum(value * seconds for value, seconds in known) / total if total else None

    return Point(
        power_limit_w=points[0].power_limit_w,
        power_w=over_time(lambda point: point.power_w),
        decode=_rate([point.decode for point in points]),
        prefill=_rate([point.prefill for point in points]),
        joules_per_token=over_time(lambda point: point.joules_per_token),
        sm_clock_mhz=over_time(lambda point: point.sm_clock_mhz),
        memory_clock_mhz=over_time(lambda point: point.memory_clock_mhz),
        temperature_c=over_time(lambda point: point.temperature_c),
        throttled_share=over_time(lambda point: point.throttled_share),
        other_throttles=tuple(dict.fromkeys(each for point in points for each in point.other_throttles)),
        streams=over_time(lambda point: point.streams),
        context_tokens=over_time(lambda point: point.context_tokens),
        idle_share=over_time(lambda point: point.idle_share),
        started=min(point.started for point in points),
        seconds=sum(point.seconds for point in points),
        samples=sum(point.samples for point in points),
    )


def _rate(rates: Sequence[Rate | None]) -> Rate | None:
    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    found = pooled([of_rate(rate) for rate in known])
    return Rate(tps=found.value, error_tps=found.error, blocks=sum(rate.blocks for rate in known))
