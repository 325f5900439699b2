"""The curve over the streams of a batch: what it brings, where it stops to pay, and where the memory ends it."""

from msgspec import Struct
from msgspec.structs import replace

from . import memory
from .constants import Constants
from .expected import decode_step
from .question import MOST_STREAMS, Plan, Question, plan
from .rates import rates
from .snapshot import Band

OWN = ("batch", "kv", "attention", "traffic")
"""Terms that grow with every stream."""
LARGEST = 4096
"""Streams up to which the knee is looked for."""
WITHOUT_ROOM = 8
"""Streams up to which the curve is drawn where the memory does not hold even one."""


class Point(Struct, frozen=True, kw_only=True):
    """One batch."""

    streams: int
    decode_tps: Band
    """Of all streams together."""
    each_tps: float


class Batching(Struct, frozen=True, kw_only=True):
    """The curve."""

    points: tuple[Point, ...]
    knee: int | None
    """The first batch in whose step the streams' own work (matrices, cache, attention) takes as long as all that they
    share (weights, layers): half of what batching can ever bring is reached. None where no batch to 4096 is."""
    most_streams: int | None
    """How many streams of this length the devices' memory holds; 0 for not one, None where it is not known."""


def batching(question: Question, fitted: Constants | None = None) -> Batching:
    """The curve over 1, 2, 4, … streams, as far as the memory goes.

    Raises:
        Unanswerable: the question has no answer.
    """
    most = _most(question)
    last = min(WITHOUT_ROOM if most == 0 else most or MOST_STREAMS, MOST_STREAMS)
    sizes = [1 << power for power in range(last.bit_length()) if 1 << power <= last]
    sizes += [last] if last > sizes[-1] else []
    points: list[Point] = []
    for streams in sizes:
        asked = replace(question, streams=float(streams))
        found = rates(asked, plan(asked), fitted).decode_tps
        points.append(Point(streams=streams, decode_tps=found, each_tps=found.value / streams))
    return Batching(points=tuple(points), knee=_knee(plan(replace(question, streams=1.0)), fitted), most_streams=most)


def _knee(laid: Plan, fitted: Constants | None) -> int | None:
    """What streams share does not grow with them, so the place is found by halving."""

    def past(streams: int) -> bool:
        step = decode_step(replace(laid.setup, streams=float(streams)), fitted)
        own = step.of(*OWN)
        return own >= step.seconds - own

    if not past(LARGEST):
        return None
    low, high = 1, LARGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if past(middle) else (middle, high)
    return high


def _most(question: Question) -> int | None:
    engine, devices = question.software.engine.name, question.devices
    room = [memory.usable(device, engine) for device in devices]
    if any(each is None for each in room):
        return None
    found = memory.most_streams(
        question.facts,
        sum(each or 0.0 for each in room),
        context=round(max(question.prompt + question.generate, question.depth)),
        kv_bytes_per_element=question.kv_bytes_per_element,
        engine=engine,
        devices=len(devices),
    )
    return found or 0
