"""What would change an answer: the same question with one thing altered, the strongest change first."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ..probes.sample import Device
from .catalogue.formats import kv_format
from .format_names import smaller
from .question import Question, plan
from .rates import rates
from .terms import Unanswerable

FASTER = 1.1
HALF_KV = {"llama.cpp": "q8_0"}
"""By kin of the engine: the cache format of about a byte an element; fp8 in all others."""


class Change(Struct, frozen=True, kw_only=True):
    """One alteration and what comes of it, all streams together."""

    what: str
    decode_tps: float
    factor: float
    """Over the rate without the change."""


def changes(question: Question) -> list[Change]:
    """The usual alterations, by how much each changes the decode rate.

    Raises:
        Unanswerable: the question itself has no answer.
    """
    now = rates(question, plan(question)).decode_tps.value
    found: list[Change] = []
    for what, altered in _altered(question):
        try:
            then = rates(altered, plan(altered)).decode_tps.value
        except Unanswerable:
            continue
        found.append(Change(what=what, decode_tps=then, factor=then / now))
    return sorted(found, key=lambda change: abs(change.factor - 1.0), reverse=True)


def _altered(question: Question) -> Iterator[tuple[str, Question]]:
    less = smaller(question.facts, question.software.engine)
    if less is not None:
        yield f"the next smaller quantisation, {less.quantization}", replace(question, facts=less)
    kv = kv_format(HALF_KV.get(question.software.engine.kin, "fp8"))
    if kv.bytes < question.kv_bytes_per_element:
        yield f"the KV cache in {kv.name}", replace(question, kv_bytes_per_element=kv.bytes)
    yield "10 % more memory bandwidth", replace(question, devices=tuple(_faster(each) for each in question.devices))
    if question.streams is not None:
        twice = 2.0 * question.streams
        yield f"twice the batch, {twice:.0f} streams", replace(question, streams=twice)
    if question.devices[0].kind == "gpu" and len({device.name for device in question.devices}) == 1:
        first, count = question.devices[0], len(question.devices)
        added = count if question.software.engine.split == "tensors" else 1
        more = (*question.devices, *(replace(first, id=f"more {at}") for at in range(added)))
        words = f"one {first.name} more" if added == 1 else f"twice the devices, {2 * count} x {first.name}"
        yield words, replace(question, devices=more)


def _faster(device: Device) -> Device:
    known = device.bandwidth_gbs
    more = replace(
        known,
        peak=known.peak * FASTER if known.peak else None,
        measured=known.measured * FASTER if known.measured else None,
    )
    return replace(device, bandwidth_gbs=more)
