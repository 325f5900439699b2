"""The curve over power limits: speed kept and joules per token at shares of the stock limit."""

from msgspec import Struct
from msgspec.structs import replace

from . import power
from .question import Question, plan
from .rates import rates

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6)


class Step(Struct, frozen=True, kw_only=True):
    """One limit, the same for each device."""

    power_limit_w: float
    kept: float
    """Share of the decode rate at the stock limit that is left, 0-1."""
    decode_tps: float
    joules_per_token: float
    problem: str | None = None


def power_curve(question: Question) -> tuple[Step, ...]:
    """The steps, from the stock limit down; empty where no law is known for the devices.

    Raises:
        Unanswerable: the question has no answer.
    """
    device = question.devices[0]
    stock = device.power_limit_default_w
    if power.law(device) is None or not stock:
        return ()
    lowest = device.power_limit_min_w or 0.0
    found: list[Step] = []
    for share in SHARES:
        limit_w = share * stock
        if limit_w < lowest:
            break
        asked = replace(question, power_limit_w=limit_w)
        answered = rates(asked, plan(asked))
        kept = answered.kept
        if kept is None:
            break
        tps = answered.decode_tps.value
        found.append(
            Step(
                power_limit_w=limit_w,
                kept=kept.value,
                decode_tps=tps,
                joules_per_token=kept.draw_w * len(question.devices) / tps,
                problem=kept.problem,
            )
        )
    return tuple(found)
