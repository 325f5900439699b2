"""Limits that change nothing: the same draw and the same speed under each."""

from collections.abc import Sequence

from .steps import SAME_W, Step

LEAST = 3
"""Limits that make a plateau."""
SAME_SPEED = 0.01
"""Shares that differ by no more from the middle are the same speed; more where the noise is larger than that."""
FLAT = 0.25
"""The draw moves by less than this share of what the limit does: limits close together draw nearly the same anyway."""


def plateaus(steps: Sequence[Step]) -> tuple[tuple[Step, ...], ...]:
    """Runs of neighbouring limits, from the highest down; the steps come in that order."""
    found: list[tuple[Step, ...]] = []
    start = 0
    while start < len(steps):
        end = start + 1
        best = end
        while end < len(steps) and _alike(steps[start : end + 1]):
            end += 1
            if end - start >= LEAST and _flat(steps[start:end]):
                best = end
        if best - start >= LEAST:
            found.append(tuple(steps[start:best]))
            start = best
        else:
            start += 1
    return tuple(found)


def _alike(run: Sequence[Step]) -> bool:
    drawn = [step.point.power_w for step in run if step.point.power_w is not None]
    if len(drawn) < len(run) or max(drawn) - min(drawn) > 2.0 * SAME_W:
        return False
    kept = [step.kept for step in run]
    return max(kept) - min(kept) <= 2.0 * max(SAME_SPEED, *(step.margin or 0.0 for step in run))


def _flat(run: Sequence[Step]) -> bool:
    drawn = [step.point.power_w or 0.0 for step in run]
    return max(drawn) - min(drawn) <= FLAT * (run[0].power_limit_w - run[-1].power_limit_w)
