"""What an engine that runs now could reach: its ceiling, and what good software makes under the load of now."""

from msgspec.structs import replace

from ..probes.sample import Device, Engine, ModelFacts
from .catalogue.names import UnknownName
from .expected import band, decode_step, limit, prompt
from .model import Load, weight_bytes_read
from .roofline import below, ceiling
from .setup import Setup, spread
from .silicon import default_backend
from .snapshot import Band, Ceiling, Expected
from .software import Software, engine
from .terms import Unanswerable

PROMPT = 512.0
"""Tokens of the prompt that the expected prefill rate is for."""


def outlook(
    reading: Engine, facts: ModelFacts | None, load: Load, devices: list[Device], tokens_per_step: float = 1.0
) -> tuple[Ceiling, Expected]:
    """The ceiling and the expected rates over all streams.

    Args:
        reading: the engine's last reading.
        facts: its model, None where that is not known.
        load: its streams and their contexts.
        devices: those that serve it.
        tokens_per_step: tokens that a step makes of each stream; above 1 with speculative decoding.
    """
    roof = ceiling(facts, load, devices)
    good = _expected(reading, facts, load, devices)
    if tokens_per_step <= 1.0:
        return roof, _below(good, roof)
    more = replace(roof, decode_tps=roof.decode_tps * tokens_per_step if roof.decode_tps else None)
    lifted = replace(good, decode_tps=_times(good.decode_tps, tokens_per_step) if good.decode_tps else None)
    return more, _below(lifted, more)


def _expected(reading: Engine, facts: ModelFacts | None, load: Load, devices: list[Device]) -> Expected:
    if facts is None or not devices or _cached(facts, devices):
        return Expected()
    try:
        software = Software(engine=engine(reading.engine), backend=default_backend(devices[0]))
        streams = max(load.streams, 1.0)
        setup = Setup(
            facts=facts,
            software=software,
            stages=spread(devices, software),
            streams=streams,
            context=load.context_tokens / streams,
            kv_bytes_per_element=load.kv_bytes_per_element,
            threads=reading.threads,
        )
        step = decode_step(setup)
        decode_tps, basis = band(setup, "decode" if streams <= 1 else "throughput", streams / step.seconds)
        prefill_tps, _ = band(setup, "prefill", PROMPT / prompt(setup, PROMPT).seconds)
    except (UnknownName, Unanswerable):
        return Expected()
    return Expected(decode_tps=decode_tps, prefill_tps=prefill_tps, limit=limit(step), basis=basis)


def _cached(facts: ModelFacts, devices: list[Device]) -> bool:
    """Whether the weights fit into the last-level caches, so that the memory's speed tells nothing."""
    weights = weight_bytes_read(facts)
    return weights is not None and all(device.cache_bytes and weights <= device.cache_bytes for device in devices)


def _below(good: Expected, roof: Ceiling) -> Expected:
    return replace(
        good,
        decode_tps=below(good.decode_tps, roof.decode_tps),
        prefill_tps=below(good.prefill_tps, roof.prefill_tps),
    )


def _times(found: Band, factor: float) -> Band:
    return Band(value=found.value * factor, low=found.low * factor, high=found.high * factor)
