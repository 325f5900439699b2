"""The limits to try."""

FINEST_W, FINEST_SMALL_W = 5.0, 1.0
SMALL_W = 50.0
"""Range below which limits are 1 W apart, not 5: laptops and small boards."""
PARTS = 10
"""Steps that the way down has, about."""


def finest(lowest_w: float, highest_w: float) -> float:
    """The distance below which limits are not told apart."""
    return FINEST_SMALL_W if highest_w - lowest_w < SMALL_W else FINEST_W


def rounded(watts: float, step_w: float) -> float:
    """The nearest multiple of a step."""
    return round(watts / step_w) * step_w


def spaced(lowest_w: float, highest_w: float, step_w: float | None = None) -> tuple[float, ...]:
    """From below the highest limit down to the lowest, on multiples of the finest step; both ends may be none."""
    fine = finest(lowest_w, highest_w)
    step = max(rounded(step_w or (highest_w - lowest_w) / PARTS, fine), fine)
    found: list[float] = []
    at = rounded(highest_w - step, fine)
    while at > lowest_w + fine / 2.0:
        if at < highest_w:
            found.append(at)
        at -= step
    return (*found, lowest_w) if lowest_w < highest_w else ()


def even(lowest_w: float, highest_w: float, limits: int) -> tuple[float, ...]:
    """So many limits with the highest, which is left out; on the finest step where they are far enough apart."""
    if limits < 2 or lowest_w >= highest_w:
        return ()
    apart = (highest_w - lowest_w) / (limits - 1)
    fine = finest(lowest_w, highest_w)
    step = fine if apart >= 2.0 * fine else 1.0
    inner = {rounded(highest_w - apart * index, step) for index in range(1, limits - 1)}
    return (*sorted((each for each in inner if lowest_w < each < highest_w), reverse=True), lowest_w)
