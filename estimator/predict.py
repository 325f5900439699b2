"""One prediction: how fast a model runs in an engine on some hardware, and why."""

from typing import Literal

from msgspec import Struct

from . import memory, power
from .constants import Constants, Phase, constants
from .expected import Limit, Part, Timing, band, decode_step, limit, prompt
from .model import Load
from .question import Plan, Question, plan
from .roofline import ceiling
from .rules import rules_of_thumb
from .snapshot import Band, Ceiling


class Draw(Struct, frozen=True, kw_only=True):
    """Power of all devices together while decoding, under the limit if there is one."""

    power_w: float
    joules_per_token: float
    kept: float
    """Share of the speed at the stock limit that is left, 0-1."""
    problem: str | None = None


class Prediction(Struct, frozen=True, kw_only=True):
    """The answer. Rates in tokens/s of all streams together."""

    decode_tps: Band
    """While all streams decode."""
    prefill_tps: Band | None
    """While one prompt is read; None without a prompt."""
    throughput_tps: Band
    """Generated tokens a second when the streams' prompts have to be read in between."""
    ttft_s: Band | None
    ceiling: Ceiling
    limit: Limit
    """What most of a decode step goes into."""
    streams: float
    memory_bytes: float
    fits: bool
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
    fitted = fitted or constants()
    laid = plan(question)
    setup = laid.setup
    step = decode_step(setup, fitted)
    first = prompt(setup, question.prompt, question.before, fitted) if question.prompt else None
    kept = _kept(question, "decode" if setup.streams <= 1 else "batch", step)
    kept_prompt = _kept(question, "prefill", first) if first else None
    slowed = step.seconds / (kept.value if kept else 1.0)
    read = first.seconds / (kept_prompt.value if kept_prompt else 1.0) if first else 0.0
    whole = setup.streams * read + question.generate * slowed
    streams = setup.streams * question.copies
    decode_tps, rests = _band(laid, "decode", streams / slowed, fitted, kept)
    return Prediction(
        decode_tps=decode_tps,
        prefill_tps=_band(laid, "prefill", question.prompt / read, fitted, kept_prompt)[0] if first else None,
        throughput_tps=_band(laid, "throughput", streams * question.generate / whole, fitted, kept)[0],
        ttft_s=_inverse(_band(laid, "prefill", 1.0 / read, fitted, kept_prompt)[0]) if first else None,
        ceiling=_ceiling(question, laid),
        limit=limit(step),
        streams=streams,
        memory_bytes=laid.needed.total_bytes,
        fits=laid.placement.fits,
        missing_bytes=laid.placement.missing_bytes,
        longest_context=_longest(question),
        bytes_per_step=sum(part.bytes or 0.0 for part in step.parts),
        terms={"decode": step.parts, "prefill": first.parts if first else ()},
        rules_of_thumb=rules_of_thumb(question.facts, question.devices),
        draw=_draw(question, step, streams / slowed, kept),
        basis="; ".join(part for part in (rests, laid.placement.note, question.devices[0].bandwidth_gbs.basis) if part),
    )


def _band(laid: Plan, phase: Phase, value: float, fitted: Constants, kept: power.Kept | None) -> tuple[Band, str]:
    found, rests = band(laid.setup, phase, value, fitted)
    if kept is None or not kept.value:
        return found, rests
    low, high = kept.low / kept.value, kept.high / kept.value
    return Band(value=value, low=found.low * low, high=found.high * high), f"{rests}; power: {kept.basis}"


def _inverse(rate: Band) -> Band:
    return Band(value=1.0 / rate.value, low=1.0 / rate.high, high=1.0 / rate.low)


def _kept(question: Question, phase: power.Phase, timing: Timing) -> power.Kept | None:
    """What the power limit leaves of the speed."""
    if question.power_limit_w is None:
        return None
    return power.kept(question.devices[0], question.power_limit_w, phase, power.core_share(_seconds(timing)))


def _draw(question: Question, step: Timing, tps: float, kept: power.Kept | None) -> Draw | None:
    phase: power.Phase = "decode" if (question.streams or 2.0) <= 1 else "batch"
    found = [power.draw_w(device, phase, power.core_share(_seconds(step))) for device in question.devices]
    watts = kept.draw_w * len(question.devices) if kept else sum(each.value for each in found if each)
    if not watts or not all(found):
        return None
    return Draw(
        power_w=watts,
        joules_per_token=watts / tps,
        kept=kept.value if kept else 1.0,
        problem=kept.problem if kept else None,
    )


def _seconds(timing: Timing) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in timing.parts:
        found[part.name] = found.get(part.name, 0.0) + part.seconds
    return found


def _ceiling(question: Question, laid: Plan) -> Ceiling:
    setup = laid.setup
    load = Load(
        streams=setup.streams,
        context_tokens=setup.context * setup.streams,
        kv_bytes_per_element=setup.kv_bytes_per_element,
    )
    devices = question.own_devices
    devices += [stage.device for stage in setup.stages if stage.device not in devices]
    return ceiling(question.facts, load, devices)


def _longest(question: Question) -> int | None:
    room = [memory.usable(device, question.software.engine.name) for device in question.own_devices]
    if any(each is None for each in room):
        return None
    return memory.longest_context(
        question.facts,
        sum(each or 0.0 for each in room),
        streams=question.streams or 1.0,
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(question.own_devices),
        kind=question.devices[0].kind,
    )
