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
    """Tokens in each stream's KV cache while it decodes; None for the prompt and half of what is generated."""
    before: float = 0.0
    """Tokens in the cache before the prompt is read."""
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
        """Tokens in each stream's KV cache while it decodes."""
        return self.prompt + self.generate / 2.0 if self.context is None else self.context


class Plan(Struct, frozen=True, kw_only=True):
    """The layout of one copy: where the layers are, and how many streams there are."""

    setup: Setup
    placement: Placement
    needed: Memory


def plan(question: Question) -> Plan:
    """Lays the work out.

    Raises:
        Unanswerable: no device, or a model whose size is not known.
    """
    facts, devices = question.facts, question.own_devices
    if not devices:
        raise Unanswerable("which device it runs on is not known")
    streams = question.streams / question.copies if question.streams is not None else _most_streams(question)
    needed = memory.needed(
        facts,
        context=round(max(question.depth, question.before + question.prompt)),
        streams=streams,
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(devices),
        kind=devices[0].kind,
    )
    if needed is None:
        raise Unanswerable(f"the size of {facts.name} is not known")
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
    return Plan(setup=setup, placement=placement, needed=needed)


def _most_streams(question: Question) -> float:
    room = [memory.usable(device, question.software.engine.name) for device in question.own_devices]
    if any(each is None for each in room):
        return float(MOST_STREAMS)
    free = sum(each or 0.0 for each in room)
    found = memory.most_streams(
        question.facts,
        free,
        context=round(max(question.prompt + question.generate, question.depth)),
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=question.software.engine.name,
        devices=len(question.own_devices),
    )
    return float(min(max(found or 1, 1), MOST_STREAMS))
