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
from .paper import arithmetic, bandwidth_of, cores_used, peak
from .setup import Setup, Stage
from .silicon import classes

ACTIVATION_BYTES = 2.0
"""Bytes an activation between devices."""
LENT_FROM = 32.0
"""Prompt tokens from which llama.cpp has the GPU do the work of the host's layers (ggml: op_offload_min_batch_size)."""

BARRIER_CORES = 16
"""The threads of a CPU wait for each other after each operation, the longer the more there are (ggml_barrier counts
them one by one): cores that make a layer cost what the constant says."""


class Term(Struct, frozen=True, kw_only=True, gc=False):
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


def prefill(setup: Setup, tokens: float, before: float = 0.0, together: float = 1.0) -> list[Term]:
    """The terms of reading a prompt of `tokens`, with `before` tokens in the cache already. Raises Unanswerable.

    Of prompts that are read `together`, several go through the model in one physical batch; the terms are one prompt's.
    """
    own = setup.stages[0]
    lent = own.device.kind == "gpu" and tokens >= LENT_FROM
    found = [
        _lent(setup, stage, tokens, before, together)
        if lent and stage.device.kind == "cpu"
        else _prompt(setup, stage, tokens, before, together)
        for stage in setup.stages
    ]
    return [term for terms in found for term in terms] if lent else _marked(setup, found)


def _marked(setup: Setup, found: list[list[Term]]) -> list[Term]:
    """All terms, those of a host's part marked."""
    if len(found) == 1:
        return found[0]
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
    fp32 = arithmetic(device, bandwidth) * cores_used(device, setup.threads)
    found = [
        *_layers(setup, stage, (*names, *mixed, *_host(setup))),
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
                amount=flops / (peak(device, bandwidth, software, facts) * cores_used(device, setup.threads)),
                names=(*names, *stored, *mixed),
            )
        )
    return [*found, *_exchange(facts, stage, software.names, streams)]


def _prompt(setup: Setup, stage: Stage, tokens: float, before: float, together: float) -> list[Term]:
    facts, software, device = setup.facts, setup.software, stage.device
    weights, active = _sizes(facts, touched_share(facts, min(tokens * together, software.engine.chunk)))
    share = stage.share / stage.ways
    bandwidth = _bandwidth(device)
    cores = cores_used(device, setup.threads)
    rate, plain = (peak(device, bandwidth, software, stored) * cores for stored in (facts, None))
    passes = math.ceil(tokens * together / software.engine.chunk) / together
    mixed = ("experts",) if facts.expert_count else ()
    names = (*classes(software.backend, device), *software.names)
    matrix = 2.0 * (active - (facts.head_parameters or 0)) * tokens
    found = [
        *_layers(setup, stage, (*names, *mixed, *_host(setup)), passes),
        Term(
            name="weights", amount=passes * weights * share / bandwidth, names=(), bytes=passes * weights * stage.share
        ),
        Term(
            name="matrix",
            amount=matrix * share / rate,
            names=(*names, kind(facts), *mixed),
        ),
        Term(name="attention", amount=attention_flops(facts, tokens, before) * share / plain, names=names),
    ]
    return [*found, *_exchange(facts, stage, software.names, tokens, passes)]


def _lent(setup: Setup, stage: Stage, tokens: float, before: float, together: float) -> list[Term]:
    """A host's layers while a prompt is read: llama.cpp copies their weights to the GPU for each physical batch."""
    gpu = setup.stages[0].device
    terms = _prompt(setup, Stage(device=gpu, share=stage.share), tokens, before, together)
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


def _layers(setup: Setup, stage: Stage, names: tuple[str, ...], times: float = 1.0) -> list[Term]:
    facts, device = setup.facts, stage.device
    if device.kind == "cpu":
        times *= cores_used(device, setup.threads) * (device.cores or BARRIER_CORES) / BARRIER_CORES
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
    found = bandwidth_of(device)
    if found is None:
        raise Unanswerable(f"the memory bandwidth of {device.name} is not known")
    return found
