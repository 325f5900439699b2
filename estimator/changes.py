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
HALF_KV = "q8_0"


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
    kv = kv_format(HALF_KV).bytes
    if kv < question.kv_bytes_per_element:
        yield f"the KV cache in {HALF_KV}", replace(question, kv_bytes_per_element=kv)
    yield "10 % more memory bandwidth", replace(question, devices=tuple(_faster(each) for each in question.devices))
    if question.streams is not None:
        twice = 2.0 * question.streams
        yield f"twice the batch, {twice:.0f} streams", replace(question, streams=twice)
    if question.devices[0].kind == "gpu" and len({device.name for device in question.devices}) == 1:
        more = (*question.devices, replace(question.devices[0], id="more"))
        yield f"one {question.devices[0].name} more", replace(question, devices=more)


def _faster(device: Device) -> Device:
    known = device.bandwidth_gbs
    more = replace(
        known,
        peak=known.peak * FASTER if known.peak else None,
        measured=known.measured * FASTER if known.measured else None,
    )
    return replace(device, bandwidth_gbs=more)
