"""What an engine that runs now could reach: its ceiling, and what good software makes under the load of now."""

from collections.abc import Sequence

from msgspec import Struct

from ..probes.sample import Device, Engine, ModelFacts
from .backends import evident_backend
from .catalogue.names import UnknownName
from .expected import band, decode_step, limit, prompt
from .model import Load, weight_bytes_read
from .own import Run, correction
from .power import core_share
from .roofline import Left, below, ceiling, unread_bytes
from .setup import Setup, Stage, spread
from .snapshot import Ceiling, Expected
from .software import Software, engine
from .speculative import Speculation, speed_up
from .terms import Unanswerable

PROMPT = 512.0
"""Tokens of the prompt that the expected prefill rate is for."""


class Outlook(Struct, frozen=True, kw_only=True):
    """The ceiling and what is expected, over all streams."""

    ceiling: Ceiling
    expected: Expected = Expected()
    plain_tps: float | None = None
    """The expected decode rate before own runs correct it."""
    software: Software | None = None


def outlook(
    reading: Engine,
    facts: ModelFacts | None,
    load: Load,
    devices: list[Device],
    *,
    speculation: Speculation | None = None,
    runs: Sequence[Run] = (),
    left: Left | None = None,
) -> Outlook:
    """What the engine could reach.

    Args:
        reading: the engine's last reading.
        facts: its model, None where that is not known.
        load: its streams and their contexts.
        devices: those that serve it.
        speculation: what its drafts bring, None without speculative decoding.
        runs: what this machine reached before.
        left: what of the model is on the host's CPU.
    """
    roof = ceiling(facts, load, devices, speculation.tokens if speculation else 1.0, left)
    if facts is None or not devices or _cached(facts, devices):
        return Outlook(ceiling=roof)
    try:
        known = engine(reading.engine)
        software = Software(engine=known, backend=evident_backend(known, devices[0]))
        setup = _setup(reading, facts, load, _stages(spread(devices, software), facts, left), software)
        step = decode_step(setup)
        made = setup.streams * (speed_up(setup, speculation) if speculation else 1.0)
        decode_tps, basis = band(setup, "decode" if setup.streams <= 1 else "throughput", made / step.seconds)
        prefill_tps, _ = band(setup, "prefill", PROMPT / prompt(setup, PROMPT).seconds)
    except (UnknownName, Unanswerable):
        return Outlook(ceiling=roof)
    plain_tps = decode_tps.value
    own = correction(runs, software, where(devices), "decode", facts.name)
    if own is not None:
        decode_tps, basis = own.correct(decode_tps), f"{basis}; {own.words}"
    return Outlook(
        ceiling=roof,
        expected=Expected(
            decode_tps=below(decode_tps, roof.decode_tps),
            prefill_tps=below(prefill_tps, roof.prefill_tps),
            limit=limit(step),
            core_share=core_share(step.by_name),
            basis=basis,
        ),
        plain_tps=plain_tps,
        software=software,
    )


def where(devices: Sequence[Device]) -> str:
    """The devices as own runs name them: "RTX 4090", "2 x RTX 4090"."""
    name = devices[0].name
    return name if len(devices) == 1 else f"{len(devices)} x {name}"


def _setup(reading: Engine, facts: ModelFacts, load: Load, stages: tuple[Stage, ...], software: Software) -> Setup:
    streams = max(load.streams, 1.0)
    return Setup(
        facts=facts,
        software=software,
        stages=stages,
        streams=streams,
        context=load.context_tokens / streams,
        kv_bytes_per_element=load.kv_bytes_per_element,
        threads=reading.threads,
    )


def _stages(own: tuple[Stage, ...], facts: ModelFacts, left: Left | None) -> tuple[Stage, ...]:
    """Those of the devices, with a last one for what is left to the host."""
    if left is None:
        return own
    idle = unread_bytes(facts)
    part = (left.stored_bytes - idle) / max((facts.weight_bytes or 0) - idle, 1.0)
    part = min(max(part, 0.0), 1.0)
    rest = Stage(device=left.host, share=part)
    return (*(Stage(device=each.device, share=each.share * (1.0 - part), ways=each.ways) for each in own), rest)


def _cached(facts: ModelFacts, devices: list[Device]) -> bool:
    """Whether the weights fit into the last-level caches, so that the memory's speed tells nothing."""
    weights = weight_bytes_read(facts)
    return weights is not None and all(device.cache_bytes and weights <= device.cache_bytes for device in devices)
