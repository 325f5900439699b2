"""Where a model goes on a machine: its GPUs, GPUs and CPU together, its CPU, or nowhere.

What does not fit is never asked how fast it would be.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from ..probes.sample import Device, ModelFacts
from . import memory
from .backends import NoBackend, common_backend
from .model import F16_BYTES
from .question import Plan, Question, plan
from .software import Engine, Software
from .terms import Unanswerable

Where = Literal["gpu", "gpu+cpu", "cpu"]
READING_TPS = 8.0
"""Tokens a second that a person reads: 300 words a minute are 5 words a second, at 1.5 tokens a word."""
LEAST_SHARE = 0.05
"""Share of the layers on the GPUs below which they are not worth the name."""


class Box(Struct, frozen=True, kw_only=True):
    """A machine: its GPUs, or its Apple chip, and its CPU."""

    gpus: tuple[Device, ...] = ()
    cpu: Device | None = None
    """With the memory of the machine."""

    @property
    def in_use(self) -> bool:
        """Whether it is known that programs hold memory."""
        return any(device.memory_used_bytes for device in (*self.gpus, *([self.cpu] if self.cpu else [])))

    def emptied(self) -> "Box":
        """The same machine when no other program holds memory."""
        gpus = tuple(replace(gpu, memory_used_bytes=None) for gpu in self.gpus)
        return Box(gpus=gpus, cpu=replace(self.cpu, memory_used_bytes=None) if self.cpu else None)


class Wish(Struct, frozen=True, kw_only=True):
    """What a person wants of any model."""

    engine: Engine
    context: float = 8192.0
    """Tokens that the cache must have room for; those that the model can have where it can have fewer."""
    prompt: float = 1024.0
    """Tokens of a typical prompt, which the decode rate and the wait for the first token are for."""
    generate: float = 256.0
    kv_bytes_per_element: float = F16_BYTES
    least_tps: float = READING_TPS
    """The decode rate that is enough."""
    threads: int | None = None
    """Of the engine, where a CPU works; None for all cores."""


class Fit(Struct, frozen=True, kw_only=True):
    """A model in one quantisation on a machine."""

    facts: ModelFacts
    runs_on: Where | None
    """None where it fits nowhere."""
    question: Question
    """About the devices that it runs on, or would."""
    plan: Plan
    free_bytes: float
    """What those devices have for it."""
    gpu_share: float = 1.0
    """Share of the layers that are on the GPUs."""
    when_emptied: bool = False
    """Whether it would fit, or fit better, if no other program held memory."""

    @property
    def needed_bytes(self) -> float:
        """What it needs, on all devices together."""
        return float(self.plan.needed.total_bytes)


def fit(facts: ModelFacts, box: Box, wish: Wish) -> Fit:
    """Finds the best place that has room.

    Raises:
        Unanswerable: the size or the layout of the model is not known, the machine has no device of known memory, or
            the engine runs on none of them.
    """
    found = _place(facts, box, wish)
    if found.runs_on == "gpu" or (found.runs_on and not box.gpus) or not box.in_use:
        return found
    better = _place(facts, box.emptied(), wish)
    return replace(found, when_emptied=better.runs_on is not None and better.runs_on != found.runs_on)


def _place(facts: ModelFacts, box: Box, wish: Wish) -> Fit:
    first = _on_gpus(facts, box, wish)
    if first is not None and first.runs_on is not None:
        return first
    second = _on_cpu(facts, box, wish)
    if second is not None and (first is None or second.runs_on is not None):
        return second
    if first is None:
        raise Unanswerable(_nowhere(box, wish.engine))
    return first


def _nowhere(box: Box, asked: Engine) -> str:
    """Why there is no device to reckon with."""
    devices = (*box.gpus, *([box.cpu] if box.cpu else []))
    if not devices or any(device.memory_total_bytes is None for device in devices):
        return f"{asked.name} runs on none of the devices, or their memory is not known"
    names = " or ".join(dict.fromkeys(device.name for device in devices))
    return f"{asked.name} runs on none of the devices ({names}); llama.cpp runs on nearly everything"


def _on_gpus(facts: ModelFacts, box: Box, wish: Wish) -> Fit | None:
    question = _question(facts, box.gpus, wish)
    if question is None:
        return None
    host = box.cpu if wish.engine.kin == "llama.cpp" else None
    laid = plan(replace(question, host=host))
    free = _room(box.gpus, wish)
    if laid.placement.fits:
        return Fit(facts=facts, runs_on="gpu", question=question, plan=laid, free_bytes=free)
    share = sum(stage.share for stage in laid.placement.stages if stage.device.kind != "cpu")
    besides = _room((host,), wish) if host else 0.0
    rest = laid.placement.missing_bytes + laid.needed.host_bytes
    split = host is not None and len(laid.placement.stages) > len(box.gpus) and share >= LEAST_SHARE
    if split and rest <= besides:
        both = replace(question, host=host)
        return Fit(facts=facts, runs_on="gpu+cpu", question=both, plan=laid, free_bytes=free + besides, gpu_share=share)
    return Fit(facts=facts, runs_on=None, question=question, plan=laid, free_bytes=free + besides)


def _on_cpu(facts: ModelFacts, box: Box, wish: Wish) -> Fit | None:
    cpus = (box.cpu,) if box.cpu else ()
    question = _question(facts, cpus, wish)
    if question is None:
        return None
    laid = plan(question)
    fits = laid.placement.fits
    return Fit(
        facts=facts,
        runs_on="cpu" if fits else None,
        question=question,
        plan=laid,
        free_bytes=_room(cpus, wish),
        gpu_share=0.0,
    )


def _question(facts: ModelFacts, devices: tuple[Device, ...], wish: Wish) -> Question | None:
    """None where the engine does not run there, or it is not known how much memory there is."""
    if not devices or any(device.memory_total_bytes is None for device in devices):
        return None
    try:
        backend = common_backend(wish.engine, devices)
    except NoBackend:
        return None
    return Question(
        facts=facts,
        software=Software(engine=wish.engine, backend=backend),
        devices=devices,
        prompt=wish.prompt,
        generate=wish.generate,
        room=min(wish.context, float(facts.context_length or wish.context)),
        kv_bytes_per_element=wish.kv_bytes_per_element,
        threads=wish.threads,
    )


def _room(devices: Sequence[Device], wish: Wish) -> float:
    return float(sum(memory.usable(device, wish.engine.name) or 0 for device in devices))
