"""The rates that answer a question, with their bands."""

from msgspec import Struct
from msgspec.structs import replace

from . import power
from .constants import Constants, Phase, constants
from .expected import Timing, band, decode_step, prompt
from .model import Load
from .question import Plan, Question
from .roofline import Left, below, ceiling, outside
from .snapshot import Band, Ceiling


class Rates(Struct, frozen=True, kw_only=True):
    """Tokens/s of all streams together, and what they are made of."""

    decode_tps: Band
    """While all streams decode."""
    prefill_tps: Band | None
    """While one prompt is read; None without a prompt."""
    throughput_tps: Band
    """Generated tokens a second when the streams' prompts have to be read in between."""
    ttft_s: Band | None
    """Seconds until the first token of a prompt that need not wait for others."""
    ceiling: Ceiling
    streams: float
    step: Timing
    """One decode step at the stock power limit."""
    first: Timing | None
    """Reading one prompt at the stock power limit."""
    kept: power.Kept | None
    """What the power limit leaves of the decode rate; None without one."""
    basis: str
    """What the band of the decode rate rests on."""


def rates(question: Question, laid: Plan, fitted: Constants | None = None) -> Rates:
    """Answers a question whose work has been laid out.

    Raises:
        Unanswerable: the model's layout or a device's bandwidth is not known.
    """
    fitted = fitted or constants()
    setup = laid.setup
    step = decode_step(setup, fitted)
    first = prompt(setup, question.prompt, question.before, fitted) if question.prompt else None
    kept = _kept(question, "decode" if setup.streams <= 1 else "batch", step)
    kept_prompt = _kept(question, "prefill", first) if first else None
    slowed = _slowed(step, kept)
    read = _slowed(first, kept_prompt) if first else 0.0
    streams = setup.streams * laid.copies
    whole = setup.streams * read + question.generate * slowed
    if first and setup.streams > 1:
        packed = prompt(setup, question.prompt, question.before, fitted, together=setup.streams)
        whole += setup.streams * (_slowed(packed, kept_prompt) - read)
    roof = _ceiling(question, laid)
    alone = setup.streams <= 1
    decode_tps, basis = _band(laid, "decode" if alone else "throughput", streams / slowed, fitted, kept)
    decode_tps = below(decode_tps, roof.decode_tps) or decode_tps
    prefill_tps = _band(laid, "prefill", question.prompt / read, fitted, kept_prompt)[0] if read else None
    prefill_tps = below(prefill_tps, roof.prefill_tps)
    if alone:
        throughput_tps = _in_turn(question, laid.copies, decode_tps, prefill_tps)
    else:
        throughput_tps, _ = _band(laid, "throughput", streams * question.generate / whole, fitted, kept)
    if not alone and laid.placement.fits is not False:
        one = rates(question, replace(laid, setup=replace(setup, streams=1.0)), fitted)
        decode_tps = _above(decode_tps, one.decode_tps)
        throughput_tps = _above(throughput_tps, one.throughput_tps)
    return Rates(
        decode_tps=decode_tps,
        prefill_tps=prefill_tps,
        throughput_tps=below(throughput_tps, roof.decode_tps) or throughput_tps,
        ttft_s=_wait(question.prompt, prefill_tps) if prefill_tps else None,
        ceiling=roof,
        streams=streams,
        step=step,
        first=first,
        kept=kept,
        basis=basis,
    )


def _slowed(timing: Timing, kept: power.Kept | None) -> float:
    """Seconds under the power limit, which holds the devices down and not the host."""
    if kept is None:
        return timing.seconds
    host = sum(part.seconds for part in timing.parts if part.host)
    return host + (timing.seconds - host) / kept.value


def _band(laid: Plan, phase: Phase, value: float, fitted: Constants, kept: power.Kept | None) -> tuple[Band, str]:
    found, rests = band(laid.setup, phase, value, fitted)
    if kept is None or not kept.value:
        return found, rests
    low, high = kept.low / kept.value, kept.high / kept.value
    return Band(value=value, low=found.low * low, high=found.high * high), f"{rests}; power: {kept.basis}"


def _in_turn(question: Question, copies: float, decode_tps: Band, prefill_tps: Band | None) -> Band:
    """Generated tokens a second of one stream a copy, which reads its prompt first: what both rates make together."""

    def tps(decode: float, prefill: float | None) -> float:
        read_s = question.prompt / prefill if prefill else 0.0
        return copies * question.generate / (read_s + copies * question.generate / decode)

    first = prefill_tps or Band(value=0.0, low=0.0, high=0.0)
    return Band(
        value=tps(decode_tps.value, first.value),
        low=tps(decode_tps.low, first.low),
        high=tps(decode_tps.high, first.high),
    )


def _above(found: Band, alone: Band) -> Band:
    """A band whose low end is not below that of one stream: software can always take its streams in turn."""
    return replace(found, low=min(max(found.low, alone.low), found.value))


def _wait(prompt_tokens: float, rate: Band) -> Band:
    return Band(value=prompt_tokens / rate.value, low=prompt_tokens / rate.high, high=prompt_tokens / rate.low)


def _kept(question: Question, phase: power.Phase, timing: Timing) -> power.Kept | None:
    if question.power_limit_w is None:
        return None
    device = question.devices[0]
    most = device.power_limit_max_w or device.power_limit_default_w or question.power_limit_w
    return power.kept(device, min(question.power_limit_w, most), phase, power.core_share(timing.by_name))


def _ceiling(question: Question, laid: Plan) -> Ceiling:
    setup = laid.setup
    load = Load(
        streams=setup.streams,
        context_tokens=setup.context * setup.streams,
        kv_bytes_per_element=setup.kv_bytes_per_element,
    )
    devices = question.own_devices
    host = next((stage.device for stage in setup.stages if stage.device not in devices), None)
    left = None
    if host is not None:
        room = sum((device.memory_total_bytes or 0) - (device.memory_used_bytes or 0) for device in devices)
        left = Left(host=host, stored_bytes=outside(question.facts, load, room))
    roof = ceiling(question.facts, load, devices, left=left)
    if laid.copies <= 1 or roof.decode_tps is None:
        return roof
    return replace(roof, decode_tps=roof.decode_tps * laid.copies)
