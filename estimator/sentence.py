"""The one sentence that says what binds now."""

from collections import Counter
from collections.abc import Sequence

from ..probes.sample import Device, Engine, ModelFacts
from .model import Load, active_parameters, kv_bytes_read, weight_bytes_read
from .roofline import total_bandwidth
from .snapshot import Ceiling, Expected


def binds(
    reading: Engine,
    *,
    facts: ModelFacts | None,
    load: Load,
    roof: Ceiling,
    good: Expected,
    devices: list[Device],
    decode_tps: float | None,
    shared: Sequence[str] = (),
) -> str | None:
    """What limits the engine now, or why nothing can be said; None when its status says it all."""
    if reading.status not in {"ok", "idle"}:
        return reading.problem
    if reading.status == "idle" and not decode_tps:
        return _idle(roof, good)
    if roof.decode_tps is None:
        return f"no ceiling: {roof.reason}" if roof.reason else None
    if roof.limit == "compute":
        parts = [f"arithmetic binds: the batch is past the ridge point at {roof.decode_tps:.3g} tok/s"]
    elif good.limit == "compute":
        parts = [_unpacking(reading, facts, devices)]
    elif good.limit == "overhead" and facts and facts.layers:
        parts = [f"starting the kernels of {facts.layers} layers binds: the weights are small for this device"]
    else:
        parts = [_reading(facts, load, devices)]
    held = Counter((device.name, device.throttle_reasons) for device in devices if device.throttle_reasons)
    parts += [
        f"{f'{number} x ' if number > 1 else ''}{name} held down by {', '.join(reasons)}"
        for (name, reasons), number in held.items()
    ]
    parts += dict.fromkeys(shared)
    if reading.prefilling and reading.requests_running:
        parts.insert(0, f"prefill of {reading.prefilling} of {reading.requests_running:.0f} requests takes its turn")
    return "; ".join(part for part in parts if part)


def _idle(roof: Ceiling, good: Expected) -> str:
    if roof.decode_tps is None:
        return f"idle; no ceiling: {roof.reason}" if roof.reason else "idle"
    if good.decode_tps is None:
        return f"idle; one stream can reach at most {roof.decode_tps:.3g} tok/s"
    band = good.decode_tps
    return (
        f"idle; one stream should reach about {band.value:.3g} tok/s ({band.low:.3g}-{band.high:.3g}), "
        f"at most {roof.decode_tps:.3g}"
    )


def _reading(facts: ModelFacts | None, load: Load, devices: list[Device]) -> str:
    weights = weight_bytes_read(facts) if facts else None
    bandwidth = total_bandwidth(devices)
    if facts is None or weights is None or bandwidth is None:
        return ""
    unit = "a token" if load.streams <= 1 else f"a step of {load.streams:.0f} streams"
    kv = kv_bytes_read(facts, load)
    context = f"; KV {_size(kv)} at {_count(load.context_tokens)} of context" if kv and load.context_tokens else ""
    return f"reading weights binds: {_size(weights)} {unit} at {_speed(bandwidth)}{context}"


def _unpacking(reading: Engine, facts: ModelFacts | None, devices: list[Device]) -> str:
    weights = active_parameters(facts) if facts else None
    what = f"{weights / 1e9:.2g} G weights a token" if weights else "the weights"
    cores = devices[0].cores
    where = f" on {min(reading.threads, cores)} of {cores} cores" if cores and reading.threads else ""
    return f"arithmetic binds, not memory: {what} to be unpacked and multiplied{where}"


def _size(amount: float) -> str:
    return f"{amount / 1e9:.2g} GB" if amount >= 1e8 else f"{amount / 1e6:.2g} MB"


def _speed(gbs: float) -> str:
    return f"{gbs:.0f} GB/s" if gbs >= 100 else f"{gbs:.1f} GB/s"


def _count(tokens: float) -> str:
    return f"{tokens / 1e3:.1f} k" if tokens >= 1e3 else f"{tokens:.0f}"
