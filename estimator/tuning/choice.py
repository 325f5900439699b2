"""Which limit to choose: the lowest that keeps enough of the speed, as far as the measurements can tell."""

import statistics
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from .error import Estimate, pooled
from .evenness import uneven
from .plateau import plateaus
from .point import Point
from .steps import Measured, Step, Steps, Verdict, steps
from .words import sentences


class Choice(Struct, frozen=True, kw_only=True):
    """The answer for one phase."""

    phase: Measured
    keep: float
    """The share of the speed that was asked for."""
    baseline: Point
    """All stays at the highest limit together; its speed counts as 1."""
    chosen: Point | None
    """The lowest limit that keeps enough with 95 % confidence; None where that cannot be told."""
    kept: float | None
    """What the chosen one keeps."""
    kept_low: float | None
    """It keeps at least so much, with 95 % confidence."""
    saved_w: float | None
    """Drawn at the highest limit less drawn at the chosen one."""
    resolution: float | None
    """The smallest loss that could be told at a typical limit; None where no error is known."""
    plateau_w: tuple[float, ...]
    """The limits that are as good as the chosen one, which is the lowest of them; empty where none is."""
    never_binds_from_w: float | None
    """No limit from here up is ever reached."""
    drift: float
    """How far the fastest and the slowest stay at the highest limit were apart, as a share."""
    uneven: str | None
    """Why the stays cannot be compared; then nothing is chosen."""
    steps: tuple[Step, ...]
    """Each limit, from the highest down."""
    verdicts: tuple[Verdict, ...]
    """Of each limit, in the same order."""
    sentences: tuple[str, ...] = ()
    """For a person."""


def choose(points: Sequence[Point], keep: float, phase: Measured) -> Choice:
    """The choice after these stays; the more of them at the highest limit between the others, the better drift shows.

    Raises:
        ValueError: the phase was measured at no limit.
    """
    found = steps(points, phase)
    flat = plateaus(found.steps)
    verdicts = _verdicts(found, flat, keep)
    reason = uneven(points, phase)
    at = None if reason else _lowest(found.steps, verdicts, keep)
    chosen = None if at is None else found.steps[at]
    top = found.steps[0]
    margins = [step.margin for step in found.steps[1:] if step.margin is not None]
    unreached = next((run for run in flat if run[0] is top), None)
    choice = Choice(
        phase=phase,
        keep=keep,
        baseline=top.point,
        chosen=chosen.point if chosen else None,
        kept=chosen.kept if chosen else None,
        kept_low=chosen.surely if chosen else None,
        saved_w=_saved(top, chosen),
        resolution=statistics.median(margins) if margins else None,
        plateau_w=next((tuple(each.power_limit_w for each in run) for run in flat if chosen and run[-1] is chosen), ()),
        never_binds_from_w=unreached[-1].power_limit_w if unreached else None,
        drift=found.moved,
        uneven=reason,
        steps=found.steps,
        verdicts=verdicts,
    )
    return replace(choice, sentences=sentences(choice))


def _verdicts(found: Steps, flat: Sequence[tuple[Step, ...]], keep: float) -> tuple[Verdict, ...]:
    """Limits of a plateau are judged together."""
    by_limit: dict[float, Verdict] = {step.power_limit_w: step.verdict(keep) for step in found.steps}
    for run in flat:
        by_limit |= dict.fromkeys((step.power_limit_w for step in run), _together(run, keep))
    return tuple(by_limit[step.power_limit_w] for step in found.steps)


def _together(run: Sequence[Step], keep: float) -> Verdict:
    """By the mean of all, and the error of the best: they share the stays at the highest limit, so it is no smaller.

    The highest limit has no error, so what is as good as that keeps all, however noisy its speed is.
    """
    kept = pooled([Estimate(step.falling, step.kept_error) for step in run]).value
    margins = [step.margin for step in run if step.margin is not None]
    if not margins:
        return "unsure"
    if kept - min(margins) >= keep:
        return "keeps"
    return "fails" if kept + min(margins) < keep else "unsure"


def _lowest(found: Sequence[Step], verdicts: Sequence[Verdict], keep: float) -> int | None:
    """Nothing below a limit that fails keeps enough: the curve that they are judged by only falls."""
    at = max(index for index, verdict in enumerate(verdicts) if not index or verdict == "keeps")
    if at:
        return at
    lower = found[1] if len(found) > 1 else None
    if lower is None or lower.margin is None or (verdicts[1] == "unsure" and lower.margin > 1.0 - keep):
        return None
    return 0


def _saved(top: Step, chosen: Step | None) -> float | None:
    if chosen is None or top.point.power_w is None or chosen.point.power_w is None:
        return None
    return top.point.power_w - chosen.point.power_w
