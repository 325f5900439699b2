"""What chart, slider, list and words all say of a tuning."""

from ...estimator.tuning.curve import answer_at
from ...estimator.tuning.point import Rate
from ...estimator.tuning.steps import Step, rate_of
from ..tune.state import State

SAME_W = 1.0


def now_rate(state: State) -> Rate | None:
    """The speed of the stay of now."""
    return rate_of(state.now, state.phase) if state.now else None


def now_share(state: State) -> float | None:
    """What it keeps of the speed at the highest limit that was measured; None before both are known."""
    choice, here = state.choice, now_rate(state)
    top = rate_of(choice.baseline, state.phase) if choice else None
    return here.tps / top.tps if here and top else None


def step_now(state: State) -> Step | None:
    """The limit of now, where it has been measured well enough."""
    choice = state.choice
    steps = choice.steps if choice else ()
    return next((step for step in steps if abs(step.power_limit_w - state.limit_w) <= SAME_W), None)


def unit_w(state: State) -> float:
    """The limit whose speed is 100 %."""
    return state.choice.baseline.power_limit_w if state.choice else state.highest_w


def chosen_w(state: State) -> float | None:
    """The limit to take, where one was compared with others."""
    choice = state.choice
    return state.chosen_w if choice and len(choice.steps) > 1 else None


def expected_w(state: State) -> float | None:
    """The limit that is expected to keep enough."""
    return answer_at(state.curve, state.keep)
