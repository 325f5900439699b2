"""The ceiling: what no software can pass on this hardware, with this model, under this load.

A roofline (Williams, Waterman, Patterson 2009): the slower of the bytes that must be read over the peak bandwidth and
the FLOPs that must be done over the peak rate. Where a fact is uncertain, the side that raises the roof is taken.
"""

from ..probes.sample import Device, ModelFacts
from .model import Load, decode_flops, kv_bytes_read, prefill_flops, weight_bytes_read
from .snapshot import Band, Ceiling

NARROW = 12.0
"""Bits per weight below which most weights are of 8 bits or fewer, so that the int8 or fp8 units may work: Q8_0 files
store 8.5 and a little, as some tensors stay wider."""


def ceiling(facts: ModelFacts | None, load: Load, devices: list[Device], tokens_per_step: float = 1.0) -> Ceiling:
    """The decode and prefill ceilings over all streams. What cannot be told is None, with the reason.

    With speculative decoding a step makes `tokens_per_step` tokens of each stream: it reads memory once for all of them
    and does the arithmetic of each.

    Several devices count with the sum of their bandwidths: the roof of a perfect tensor-parallel split.
    """
    reason = _gap(facts, devices)
    if reason is not None or facts is None:
        return Ceiling(reason=reason)
    weights = weight_bytes_read(facts)
    if weights is None:
        return Ceiling(reason="the model file cannot be read, so the bytes per token are not known")
    peak = matrix_rate(facts, devices)
    prefill = prefill_flops(facts)
    prefill_tps = peak / prefill if peak and prefill else None
    if all(device.cache_bytes and weights <= device.cache_bytes for device in devices):
        return Ceiling(
            prefill_tps=prefill_tps,
            reason=f"{weights / 1e6:.0f} MB a token fit into the cache: memory bandwidth is no ceiling",
        )
    bandwidth = total_bandwidth(devices)
    if bandwidth is None:
        return Ceiling(prefill_tps=prefill_tps, reason=_unmeasured(devices))
    memory_s = (weights + (kv_bytes_read(facts, load) or 0.0)) / (bandwidth * 1e9)
    flops = decode_flops(facts, load)
    compute_s = tokens_per_step * flops / peak if peak and flops else 0.0
    slower_s = max(memory_s, compute_s)
    if slower_s <= 0.0:
        return Ceiling(reason="the model has nothing to read and nothing to reckon: no ceiling can be told")
    made = max(load.streams, 1.0) * tokens_per_step
    return Ceiling(
        decode_tps=made / slower_s,
        prefill_tps=prefill_tps,
        limit="bandwidth" if memory_s >= compute_s else "compute",
    )


def below(found: Band | None, roof: float | None) -> Band | None:
    """A band whose upper end does not pass the roof."""
    if found is None or roof is None or found.high <= roof:
        return found
    return Band(value=min(found.value, roof), low=min(found.low, roof), high=roof)


def total_bandwidth(devices: list[Device]) -> float | None:
    """Peak GB/s of the devices together, the measured figure where none is known on paper or where it is higher."""
    total = 0.0
    for device in devices:
        known = [figure for figure in (device.bandwidth_gbs.peak, device.bandwidth_gbs.measured) if figure]
        if not known:
            return None
        total += max(known)
    return total or None


def matrix_rate(facts: ModelFacts, devices: list[Device]) -> float | None:
    """Peak FLOP/s for this model's weights: int8 units for weights of about 8 bits and less, else fp16, else fp32."""
    total = 0.0
    bits = 8.0 * facts.weight_bytes / facts.parameters if facts.weight_bytes and facts.parameters else 16.0
    for device in devices:
        rates = device.compute_tflops
        known = [rate for rate in (rates.fp16, rates.fp32, rates.int8 if bits < NARROW else None) if rate]
        if not known:
            return None
        total += max(known)
    return total * 1e12 or None


def _gap(facts: ModelFacts | None, devices: list[Device]) -> str | None:
    if not devices:
        return "which device it runs on is not known"
    if facts is None:
        return "which model it runs is not known"
    return None


def _unmeasured(devices: list[Device]) -> str:
    if any(device.kind == "cpu" for device in devices):
        return "memory bandwidth not measured yet: press m, or run llmtop probe --measure"
    return f"the memory bandwidth of {devices[0].name} is not known"
