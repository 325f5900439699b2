"""What one step of decoding, and one prompt, take: a sum of terms, each an amount of work over a rate on paper.

    step    = layers + weights / BW + KV / BW + in-core work / FP32 + matrix work / peak + exchange between devices
    prompt  = layers + weights / BW, once a physical batch, + matrix work / peak + attention / peak

Each term is multiplied by the share of the paper's rate that software reaches, its constant in `constants.json`. The
form follows the roofline of Pope et al. (arXiv 2211.05102) with the fixed cost of a layer's kernels and the arithmetic
of unpacking weights added: both are what keeps small models and weak GPUs below the roof.
"""

import math

from msgspec import Struct
from msgspec.structs import replace

from ..probes.sample import Device, ModelFacts
from .kinds import kind
from .link_rate import link
from .model import (
    Load,
    active_parameters,
    attention_flops,
    kv_bytes_read,
    state_bytes,
    touched_share,
    weight_bytes_read,
)
from .setup import Setup, Stage
from .silicon import classes, generation
from .software import Software

FLOPS_PER_BYTE = 30.0
"""FP32 FLOPs per byte of bandwidth of a device whose rate is not known: the middle of the catalogue's."""
ACTIVATION_BYTES = 2.0
"""Bytes an activation between devices."""
LENT_FROM = 32.0
"""Prompt tokens from which llama.cpp has the GPU do the work of the host's layers (ggml: op_offload_min_batch_size)."""
DUAL_ISSUE = 2.0
"""RDNA3 and RDNA4 count two instructions a clock in their FP32 rate, which unpacking weights hardly ever gets: halving
it lowers the error on held-out devices."""
WARP_RATE = 0.629
"""Share of the matrix rate of Hopper, and of the Blackwell of data centres, that instructions of one warp reach; the
rest needs those of warp groups, which llama.cpp does not use (Luo et al., arXiv 2402.13499)."""
WARP_GROUPS = frozenset({"9.0", "10.0", "10.3"})
HALF_RATES = 2.0
"""FP16 over FP32 rate of a device whose matrix rate is not known."""


STREAM_SHARE = 0.8
"""Share of the paper bandwidth that a read test of all cores measures where the memory is the limit: 0.67-0.79 in TI's
STREAM figures, 0.77 on a Raspberry Pi 5 (llama.cpp issue 26484), 0.82 on an i9-14900KF (colibri issue 537)."""


class Term(Struct, frozen=True, kw_only=True):
    """A part of a step."""

    name: str
    """What it is: the first part of the names of its constants."""
    amount: float
    """Seconds at the rate on paper; for layers and exchanges how many there are."""
    names: tuple[str, ...]
    """Which constants multiply it."""
    bytes: float | None = None
    """Bytes that are read, where reading is what it is."""
    host: bool = False
    """Whether it is done by the CPU of the host, for devices that cannot hold all layers."""


class Unanswerable(Exception):
    """No prediction is possible; the text is one line that says what is missing."""


def decode(setup: Setup) -> list[Term]:
    """The terms of one decode step of all streams. Raises Unanswerable."""
    found = _marked(setup, [_step(setup, stage) for stage in setup.stages])
    hops = len(setup.stages) - 1
    if hops > 0:
        found.append(Term(name="hop", amount=float(hops), names=()))
    return found


def prefill(setup: Setup, tokens: float, before: float = 0.0) -> list[Term]:
    """The terms of reading a prompt of `tokens`, with `before` tokens in the cache already. Raises Unanswerable."""
    own = setup.stages[0]
    lent = own.device.kind == "gpu" and tokens >= LENT_FROM
    found = [
        _lent(setup, stage, tokens, before)
        if lent and stage.device.kind == "cpu"
        else _prompt(setup, stage, tokens, before)
        for stage in setup.stages
    ]
    return [term for terms in found for term in terms] if lent else _marked(setup, found)


def _marked(setup: Setup, found: list[list[Term]]) -> list[Term]:
    """All terms, those of a host's part marked."""
    own = setup.stages[0].device.kind
    return [
        replace(term, host=True) if stage.device.kind == "cpu" != own else term
        for stage, terms in zip(setup.stages, found, strict=True)
        for term in terms
    ]


def _step(setup: Setup, stage: Stage) -> list[Term]:
    facts, software, device = setup.facts, setup.software, stage.device
    streams = max(setup.streams, 1.0)
    weights, active = _sizes(facts, touched_share(facts, streams))
    load = Load(
        streams=streams, context_tokens=setup.context * streams, kv_bytes_per_element=setup.kv_bytes_per_element
    )
    cached = (kv_bytes_read(facts, load) or 0.0) + state_bytes(facts) * streams
    share = stage.share / stage.ways
    bandwidth = _bandwidth(device)
    names = (*classes(software.backend, device), *software.names)
    stored = (kind(facts), f"{software.engine.kin} {kind(facts)}")
    mixed = ("experts",) if facts.expert_count else ()
    fp32 = _fp32(device, bandwidth) * _cores_used(device, setup.threads)
    found = [
        *_layers(facts, stage, (*names, *mixed, *_host(setup))),
        Term(
            name="weights",
            amount=weights * share / bandwidth,
            names=(*names, *stored, *mixed),
            bytes=weights * stage.share,
        ),
        Term(name="kv", amount=cached * share / bandwidth, names=names, bytes=cached * stage.share),
        Term(name="core", amount=2.0 * active * share / fp32, names=(*names, *stored)),
        Term(
            name="attention",
            amount=attention_flops(facts, 1.0, setup.context) * streams * share / fp32,
            names=names,
        ),
    ]
    if streams > 1.0:
        flops = 2.0 * active * (streams - 1.0) * share
        found.append(
            Term(
                name="batch",
                amount=flops / (_peak(device, bandwidth, software) * _cores_used(device, setup.threads)),
                names=(*names, *stored, *mixed),
            )
        )
    return [*found, *_exchange(facts, stage, software.names, streams)]


def _prompt(setup: Setup, stage: Stage, tokens: float, before: float) -> list[Term]:
    facts, software, device = setup.facts, setup.software, stage.device
    weights, active = _sizes(facts, touched_share(facts, min(tokens, software.engine.chunk)))
    share = stage.share / stage.ways
    bandwidth = _bandwidth(device)
    peak = _peak(device, bandwidth, software) * _cores_used(device, setup.threads)
    passes = math.ceil(tokens / software.engine.chunk)
    mixed = ("experts",) if facts.expert_count else ()
    names = (*classes(software.backend, device), *software.names)
    matrix = 2.0 * (active - (facts.head_parameters or 0)) * tokens
    found = [
        *_layers(facts, stage, (*names, *mixed, *_host(setup)), passes),
        Term(
            name="weights", amount=passes * weights * share / bandwidth, names=(), bytes=passes * weights * stage.share
        ),
        Term(
            name="matrix",
            amount=matrix * share / peak,
            names=(*names, kind(facts), *mixed),
        ),
        Term(name="attention", amount=attention_flops(facts, tokens, before) * share / peak, names=names),
    ]
    return [*found, *_exchange(facts, stage, software.names, tokens, passes)]


def _lent(setup: Setup, stage: Stage, tokens: float, before: float) -> list[Term]:
    """A host's layers while a prompt is read: llama.cpp copies their weights to the GPU for each physical batch."""
    gpu = setup.stages[0].device
    terms = _prompt(setup, Stage(device=gpu, share=stage.share), tokens, before)
    copied = sum(term.bytes or 0.0 for term in terms if term.name == "weights")
    _, rate = link(gpu)
    return [*terms, Term(name="copy", amount=copied / rate, names=(), bytes=copied, host=True)]


def _exchange(
    facts: ModelFacts, stage: Stage, names: tuple[str, ...], tokens: float, passes: float = 1.0
) -> list[Term]:
    """What tensor parallelism costs: two all-reduces a layer, each with a latency and the activations to move.

    A ring moves 2 (n - 1) / n of the data over each link (Megatron-LM, arXiv 1909.08053).
    """
    if stage.ways <= 1:
        return []
    times = 2.0 * (facts.layers or 0) * stage.share
    moved = times * tokens * (facts.hidden_size or 0) * ACTIVATION_BYTES * 2.0 * (stage.ways - 1) / stage.ways
    wire, rate = link(stage.device)
    return [
        Term(name="exchange", amount=passes * times * math.log2(stage.ways), names=(wire, *names)),
        Term(name="traffic", amount=moved / rate, names=(wire, *names)),
    ]


def _layers(facts: ModelFacts, stage: Stage, names: tuple[str, ...], times: float = 1.0) -> list[Term]:
    plain = max((facts.layers or 0) - facts.linear_layers, 0) * stage.share * times
    linear = facts.linear_layers * stage.share * times
    found = [Term(name="layers", amount=plain, names=names)]
    return [*found, Term(name="layers", amount=linear, names=(*names, "linear attention"))] if linear else found


def _host(setup: Setup) -> tuple[str, ...]:
    """What kind of host starts the kernels."""
    return ("small host",) if setup.small_host else ()


def _sizes(facts: ModelFacts, share: float) -> tuple[float, float]:
    """Weight bytes that a step reads, and parameters that a token uses."""
    weights, active = weight_bytes_read(facts, share), active_parameters(facts)
    if weights is None or active is None or not facts.layers:
        raise Unanswerable(f"the layout of {facts.name} is not known: layers, embedding and experts are needed")
    return weights, float(active)


def _bandwidth(device: Device) -> float:
    """Bytes a second on paper, which the constants are held against; of a measured CPU, what would be on paper.

    A CPU's paper figure says little of what its cores can draw, so a measurement goes before it.
    """
    known = device.bandwidth_gbs
    if device.kind == "cpu" and known.measured:
        return known.measured * 1e9 / STREAM_SHARE
    gbs = known.peak or known.measured
    if not gbs:
        raise Unanswerable(f"the memory bandwidth of {device.name} is not known")
    return gbs * 1e9


def _fp32(device: Device, bandwidth: float) -> float:
    """FLOP/s of plain arithmetic."""
    rate = (device.compute_tflops.fp32 or 0.0) * 1e12 or FLOPS_PER_BYTE * bandwidth
    return rate / DUAL_ISSUE if generation(device) in {"RDNA3", "RDNA4"} else rate


def _peak(device: Device, bandwidth: float, software: Software) -> float:
    """FLOP/s of the matrix units, as far as the software's instructions go; of a CPU those of its vector units."""
    if device.kind == "cpu":
        return _fp32(device, bandwidth)
    rate = (device.compute_tflops.fp16 or 0.0) * 1e12 or _half_rates(device) * _fp32(device, bandwidth)
    held = software.engine.kin == "llama.cpp" and device.vendor == "NVIDIA" and device.architecture in WARP_GROUPS
    return rate * WARP_RATE if held else rate


def _half_rates(device: Device) -> float:
    """FP16 over FP32 rate of a GPU whose matrix rate is not known. Old ones gain nothing from 16 bit."""
    old = device.vendor == "NVIDIA" and (device.architecture or "9") < "7"
    return 1.0 if old else HALF_RATES


def _cores_used(device: Device, threads: int | None) -> float:
    """Share of a CPU's arithmetic that so many threads have."""
    if device.kind != "cpu" or not threads or not device.cores:
        return 1.0
    return min(threads, device.cores) / device.cores
