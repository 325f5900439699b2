"""The ceiling: what no software can pass on this hardware, with this model, under this load.

A roofline (Williams, Waterman, Patterson 2009): the slower of the bytes that must be read over the peak bandwidth and
the FLOPs that must be done over the peak rate. Where a fact is uncertain, the side that raises the roof is taken.

Where a part of the model is left to the CPU of the host, each token passes the devices and then the host, so that the
seconds add up: bytes on the devices over their bandwidth, and bytes on the host over its own. The host is taken to hold
what costs least there: first what no step reads (an embedding table, layers out of use), then routed experts, of which
a token reads k/E, and only then what every token reads.
"""

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from .model import Load, decode_flops, kv_bytes_read, prefill_flops, routed_share, weight_bytes_read
from .snapshot import Band, Ceiling

NARROW = 12.0
"""Bits per weight below which most weights are of 8 bits or fewer, so that the int8 or fp8 units may work: Q8_0 files
store 8.5 and a little, as some tensors stay wider."""


class Left(Struct, frozen=True, kw_only=True):
    """What the devices do not hold."""

    host: Device
    """The CPU that reads it from its RAM."""
    stored_bytes: float
    """Of weights and cache, however often they are read."""


def ceiling(
    facts: ModelFacts | None,
    load: Load,
    devices: list[Device],
    tokens_per_step: float = 1.0,
    left: Left | None = None,
) -> Ceiling:
    """The decode and prefill ceilings over all streams. What cannot be told is None, with the reason.

    With speculative decoding a step makes `tokens_per_step` tokens of each stream: it reads memory once for all of them
    and does the arithmetic of each.

    Several devices count with the sum of their bandwidths: the roof of a perfect tensor-parallel split. What is `left`
    to a host is read after or before what they read.
    """
    reason = _gap(facts, devices)
    if reason is not None or facts is None:
        return Ceiling(reason=reason)
    weights = weight_bytes_read(facts)
    if weights is None:
        return Ceiling(reason="the model file cannot be read, so the bytes per token are not known")
    peak = matrix_rate(facts, [*devices, *([left.host] if left else [])])
    prefill = prefill_flops(facts)
    prefill_tps = peak / prefill if peak and prefill else None
    if all(device.cache_bytes and weights <= device.cache_bytes for device in devices):
        return Ceiling(
            prefill_tps=prefill_tps,
            reason=f"{weights / 1e6:.0f} MB a token fit into the cache: memory bandwidth is no ceiling",
        )
    bandwidth, beside = total_bandwidth(devices), total_bandwidth([left.host]) if left else 0.0
    if bandwidth is None or beside is None:
        return Ceiling(prefill_tps=prefill_tps, reason=_unmeasured([left.host] if left and bandwidth else devices))
    cached = kv_bytes_read(facts, load) or 0.0
    memory_s = (weights + cached) / (bandwidth * 1e9)
    if left and beside:
        memory_s = _in_turn(facts, load, left.stored_bytes, (bandwidth * 1e9, beside * 1e9))
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


def outside(facts: ModelFacts, load: Load, room_bytes: float) -> float:
    """Bytes of weights, and of the cache that is read, for which there is no room: the least that a host must hold."""
    return max((facts.weight_bytes or 0) + (kv_bytes_read(facts, load) or 0.0) - room_bytes, 0.0)


def unread_bytes(facts: ModelFacts) -> int:
    """Weights that no step reads: those out of use, and an embedding table that is not the output head too."""
    return facts.unused_bytes + (0 if facts.tied_embeddings else facts.embedding_bytes or 0)


def least_read(facts: ModelFacts, stored_bytes: float) -> float:
    """The least that a step reads of so many stored bytes, whichever of the model they are."""
    rest = max(stored_bytes - unread_bytes(facts), 0.0)
    routed = min(rest, facts.expert_bytes)
    return routed * routed_share(facts) + rest - routed


def _in_turn(facts: ModelFacts, load: Load, stored_bytes: float, rates: tuple[float, float]) -> float:
    """Seconds of a step where the devices and the host read in turn, at `rates` of bytes a second.

    A stream's next token begins with its last one, so each passes all weights and its own cache in turn; meanwhile the
    other streams may keep the devices busy, which have the bytes of all to read. A host that is faster than the devices
    may as well hold everything.
    """
    own, host = rates
    cached = kv_bytes_read(facts, load) or 0.0
    others = cached * (1.0 - 1.0 / max(load.streams, 1.0))
    read = (weight_bytes_read(facts) or 0.0) + cached
    on_host = min(least_read(facts, stored_bytes), read)
    of_one = min(least_read(facts, max(stored_bytes - others, 0.0)), read - others)
    one_s = (read - others - of_one) / max(own, host) + of_one / host
    return max(one_s, on_host / host, read / (own + host))


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
