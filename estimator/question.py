"""What is asked of the estimator, and how the work is laid out for the answer."""

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from . import memory
from .memory import Memory
from .model import F16_BYTES
from .placement import Placement, place
from .setup import Setup
from .software import Software
from .terms import Unanswerable

MOST_STREAMS = 256
"""Requests that serving engines run at once unless told otherwise (vLLM's max_num_seqs)."""
MOST_TOKENS = 1e9
"""Tokens that a load may have: what is more is a slip."""
MOST_BYTES = 1e15
"""Bytes, and parameters, that a model may have."""


class Question(Struct, frozen=True, kw_only=True):
    """A model in an engine on devices, with the load."""

    facts: ModelFacts
    software: Software
    devices: tuple[Device, ...]
    host: Device | None = None
    """The CPU that takes what the devices cannot hold; None for a usual one."""
    copies: int = 1
    """Instances of the engine that share the devices and the streams between them (data parallelism)."""
    streams: float | None = 1.0
    """Requests at once, of all copies; None for as many as the memory holds."""
    prompt: float = 512.0
    """Tokens of each prompt; 0 where only decoding counts."""
    generate: float = 128.0
    context: float | None = None
    """Tokens in each stream's KV cache while it decodes; None for what is before, the prompt, and half of what is
    generated."""
    before: float = 0.0
    """Tokens in the cache before the prompt is read."""
    room: float = 0.0
    """Tokens that the cache of each stream must have room for, however few are in it."""
    kv_bytes_per_element: float = F16_BYTES
    small_host: bool = False
    """Whether a single-board computer or the like feeds the devices."""
    power_limit_w: float | None = None
    """Limit of each device."""
    threads: int | None = None

    @property
    def own_devices(self) -> list[Device]:
        """The devices of one copy."""
        return list(self.devices[: max(len(self.devices) // self.copies, 1)])

    @property
    def depth(self) -> float:
        """Tokens in each stream's KV cache while it decodes, on average."""
        return self.before + self.prompt + self.generate / 2.0 if self.context is None else self.context

    @property
    def longest(self) -> float:
        """Tokens that the cache of each stream must have room for."""
        return max(self.before + self.prompt + self.generate, self.depth, self.room)

    def check(self) -> None:
        """Raises Unanswerable for a load that cannot be."""
        loads = (self.prompt, self.generate, self.before, self.depth, self.room, self.streams or 1.0)
        if not all(0.0 <= each <= MOST_TOKENS for each in loads) or self.generate < 1.0:
            raise Unanswerable("a load needs a prompt of 0 tokens or more and at least one token to generate")
        if self.streams is not None and self.streams < 1.0:
            raise Unanswerable("a load needs at least one stream")
        if not self.devices:
            raise Unanswerable("which device it runs on is not known")
        if not 1 <= self.copies <= len(self.devices):
            raise Unanswerable(f"{self.copies} copies do not go onto {len(self.devices)} devices")


class Plan(Struct, frozen=True, kw_only=True):
    """The layout of one copy: where the layers are, and how many streams there are."""

    setup: Setup
    placement: Placement
    needed: Memory
    copies: float
    """Copies that have something to do."""


def plan(question: Question) -> Plan:
    """Lays the work out.

    Raises:
        Unanswerable: a load or devices that cannot be, or a model whose size or layout is not known.
    """
    question.check()
    facts, devices = question.facts, question.own_devices
    _check_size(facts)
    busy = min(float(question.copies), question.streams or float(question.copies))
    streams = question.streams / busy if question.streams is not None else _most_streams(question)
    needed = memory.needed(
        facts,
        context=round(question.longest),
        streams=streams,
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(devices),
        kind=devices[0].kind,
    )
    if needed is None:
        missing = "size" if facts.weight_bytes is None else "layout"
        raise Unanswerable(f"the {missing} of {facts.name} is not known")
    placement = place(devices, question.software, needed, question.host)
    setup = Setup(
        facts=facts,
        software=question.software,
        stages=placement.stages,
        streams=streams,
        context=question.depth,
        kv_bytes_per_element=question.kv_bytes_per_element,
        small_host=question.small_host,
        threads=question.threads,
    )
    return Plan(setup=setup, placement=placement, needed=needed, copies=busy)


def _check_size(facts: ModelFacts) -> None:
    """Raises Unanswerable for a model that cannot be, whatever its file said."""
    sizes = (facts.weight_bytes, facts.parameters)
    if not all(size is None or 0 < size < MOST_BYTES for size in sizes):
        raise Unanswerable(f"{facts.name} has {sizes[0]} bytes of weights and {sizes[1]} parameters: that cannot be")


def _most_streams(question: Question) -> float:
    devices = question.own_devices
    room = [memory.usable(device, question.software.engine.name) for device in devices]
    if any(each is None for each in room):
        return float(MOST_STREAMS)
    found = memory.most_streams(
        question.facts,
        sum(each or 0.0 for each in room),
        context=round(question.longest),
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(devices),
        kind=devices[0].kind,
    )
    return float(min(max(found or 1, 1), MOST_STREAMS))
