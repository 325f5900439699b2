"""One prediction: how fast a model runs in an engine on some hardware, and why."""

from typing import Literal

from msgspec import Struct

from . import memory, power
from .constants import Constants
from .expected import Limit, Part, limit
from .question import Plan, Question, plan
from .rates import Rates, rates
from .rules import rules_of_thumb
from .snapshot import Band, Ceiling

RESTING = 0.2
"""Share of the TDP that a card draws while it holds layers and waits for its turn. A prior."""


class Draw(Struct, frozen=True, kw_only=True):
    """Power of all devices together while decoding, under the limit if there is one; without the host's."""

    power_w: float
    joules_per_token: float
    kept: float
    """Share of the speed at the stock limit that is left, 0-1."""
    problem: str | None = None


class Prediction(Struct, frozen=True, kw_only=True):
    """The answer. Rates in tokens/s of all streams together; see `Rates`."""

    decode_tps: Band
    prefill_tps: Band | None
    throughput_tps: Band
    ttft_s: Band | None
    ceiling: Ceiling
    limit: Limit
    """What most of a decode step goes into."""
    streams: float
    memory_bytes: float
    fits: bool | None
    """None where the memory of a device is not known."""
    missing_bytes: float
    longest_context: int | None
    bytes_per_step: float
    terms: dict[Literal["decode", "prefill"], tuple[Part, ...]]
    rules_of_thumb: dict[str, float]
    draw: Draw | None
    basis: str


def predict(question: Question, fitted: Constants | None = None) -> Prediction:
    """Answers a question.

    Raises:
        Unanswerable: the model's layout or a device's bandwidth is not known.
    """
    laid = plan(question)
    found = rates(question, laid, fitted)
    unheeded = question.power_limit_w is not None and found.kept is None
    rests = (
        found.basis,
        laid.placement.note,
        f"no law of power is known for {question.devices[0].name}: the limit is left out" if unheeded else None,
        question.devices[0].bandwidth_gbs.basis,
    )
    return Prediction(
        decode_tps=found.decode_tps,
        prefill_tps=found.prefill_tps,
        throughput_tps=found.throughput_tps,
        ttft_s=found.ttft_s,
        ceiling=found.ceiling,
        limit=limit(found.step),
        streams=found.streams,
        memory_bytes=laid.needed.total_bytes,
        fits=laid.placement.fits,
        missing_bytes=laid.placement.missing_bytes,
        longest_context=_longest(question),
        bytes_per_step=sum(part.bytes or 0.0 for part in found.step.parts),
        terms={"decode": found.step.parts, "prefill": found.first.parts if found.first else ()},
        rules_of_thumb=rules_of_thumb(question.facts, question.devices),
        draw=_draw(question, laid, found),
        basis="; ".join(part for part in rests if part),
    )


def _draw(question: Question, laid: Plan, found: Rates) -> Draw | None:
    """The power that the law of the devices gives; None where there is none."""
    phase: power.Phase = "decode" if found.streams <= 1 else "batch"
    share = power.core_share(found.step.by_name)
    drawn = [power.draw_w(device, phase, share) for device in question.devices]
    if not drawn or None in drawn:
        return None
    kept = found.kept
    each = [kept.draw_w if kept else one.value if one else 0.0 for one in drawn]
    host = sum(part.seconds for part in found.step.parts if part.host) / found.step.seconds
    turns = 1 if laid.setup.stages[0].ways > 1 else len(question.own_devices)
    busy = laid.copies / question.copies * (1.0 - host) / turns
    resting = [RESTING * (device.power_limit_default_w or 0.0) for device in question.devices]
    watts = sum(busy * own + (1.0 - busy) * rest for own, rest in zip(each, resting, strict=True))
    return Draw(
        power_w=watts,
        joules_per_token=watts / found.decode_tps.value,
        kept=kept.value if kept else 1.0,
        problem=kept.problem if kept else None,
    )


def _longest(question: Question) -> int | None:
    room = [memory.usable(device, question.software.engine.name) for device in question.own_devices]
    if any(each is None for each in room):
        return None
    return memory.longest_context(
        question.facts,
        sum(each or 0.0 for each in room),
        streams=(question.streams or 1.0) / question.copies,
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(question.own_devices),
        kind=question.devices[0].kind,
    )
