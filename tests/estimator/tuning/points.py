"""Points by hand."""

from llmtop.estimator.tuning.point import Point, Rate


def stay(
    limit_w: float,
    tps: float | None,
    at: float,
    *,
    power_w: float | None = None,
    error: float | None = 0.001,
    blocks: int = 40,
    prefill_tps: float | None = None,
    streams: float | None = 1.0,
    context: float | None = 4000.0,
    idle: float | None = 0.0,
    throttles: tuple[str, ...] = (),
) -> Point:
    """A stay of 20 s around a moment; its error is a share of the speed, and it draws what the limit allows."""

    def rate(value: float | None) -> Rate | None:
        if value is None:
            return None
        return Rate(tps=value, error_tps=None if error is None else error * value, blocks=blocks)

    watts = limit_w if power_w is None else power_w
    return Point(
        power_limit_w=limit_w,
        power_w=watts,
        decode=rate(tps),
        prefill=rate(prefill_tps),
        joules_per_token=watts / tps if tps else None,
        streams=streams,
        context_tokens=context,
        idle_share=idle,
        other_throttles=throttles,
        started=at - 10.0,
        seconds=20.0,
        samples=40,
    )
