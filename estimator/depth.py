"""One model on one machine in depth: quantisations, contexts, cache formats, batches, and what would help."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .batching import Batching, batching
from .catalogue.formats import kv_format
from .changes import Change, changes
from .fit import Box, Fit, Wish, fit
from .memory import LONGEST
from .offers import Offer, offer
from .predict import predict
from .snapshot import Band
from .terms import Unanswerable

CACHES = {"llama.cpp": ("f16", "q8_0", "q4_0"), "serving": ("f16", "fp8")}
"""By kin of the engine: the cache formats that people choose from."""
DEPTHS = (1024, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
OWNERS = ("the next smaller", "the KV cache")
"""How the changes begin that an owner can make without another machine."""
WORTH_IT = 1.03
"""A change that makes less of a difference is not told."""


class AtContext(Struct, frozen=True, kw_only=True):
    """The speed with so many tokens in the cache."""

    context: int
    decode_tps: Band
    runs_on: str


class InCache(Struct, frozen=True, kw_only=True):
    """The longest context with the cache in one format; None where it does not fit at all."""

    kv: str
    max_context: int | None


class Help(Struct, frozen=True, kw_only=True):
    """Something to buy or to change, and what it brings."""

    what: str
    decode_tps: float
    factor: float | None
    """Over the speed of now; None where it does not run now."""
    max_context: int | None = None


class Depth(Struct, frozen=True, kw_only=True):
    """The answer."""

    chosen: Offer
    row: tuple[Offer, ...]
    """All quantisations from large to small; the one alone for a file."""
    contexts: tuple[AtContext, ...]
    caches: tuple[InCache, ...]
    batch: Batching | None
    helps: tuple[Help, ...]


def depth(row: Sequence[Offer], box: Box, wish: Wish) -> Depth:
    """All about the chosen one of a model's quantisations, which comes first."""
    best = row[0]
    by_size = sorted(row, key=lambda each: each.fit.needed_bytes, reverse=True)
    return Depth(
        chosen=best,
        row=tuple(by_size),
        contexts=tuple(_contexts(best, box, wish)),
        caches=tuple(_caches(best, box, wish)),
        batch=batching(replace(best.fit.question, room=0.0)) if best.fit.runs_on in {"gpu", "cpu"} else None,
        helps=tuple(_helps(best, box, wish)),
    )


def _contexts(best: Offer, box: Box, wish: Wish) -> Iterator[AtContext]:
    """From a short one to the longest that there is room for."""
    limit = best.fit.facts.context_length or LONGEST
    for context in (*(each for each in DEPTHS if each < limit), *([limit] if limit < LONGEST else [])):
        placed = fit(best.fit.facts, box, replace(wish, context=float(context)))
        if placed.runs_on is None:
            return
        found = predict(replace(placed.question, context=float(context)))
        yield AtContext(context=context, decode_tps=found.decode_tps, runs_on=placed.runs_on)


def _caches(best: Offer, box: Box, wish: Wish) -> Iterator[InCache]:
    for name in CACHES.get(wish.engine.kin, ("f16",)):
        yield InCache(
            kv=name, max_context=_longest(best, box, replace(wish, kv_bytes_per_element=kv_format(name).bytes))
        )


def _longest(best: Offer, box: Box, wish: Wish) -> int | None:
    """Where it runs whole on the GPUs, else on the CPU; the least that people use is tried first."""
    placed = fit(best.fit.facts, box, replace(wish, context=float(DEPTHS[0])))
    return predict(placed.question).longest_context if placed.runs_on in {"gpu", "cpu"} else None


def _helps(best: Offer, box: Box, wish: Wish) -> list[Help]:
    """What brings most comes first; what brings next to nothing is left out."""
    now = best.tps
    found = [*_another_card(best, box, wish), *_more_room(best, box, wish)]
    if best.fit.runs_on in {"gpu", "cpu"}:
        found += [_help(change) for change in changes(best.fit.question) if change.what.startswith(OWNERS)]
    worth = [each for each in found if not now or each.decode_tps >= WORTH_IT * now or each.max_context]
    return sorted(worth, key=lambda each: each.decode_tps, reverse=True)


def _help(change: Change) -> Help:
    return Help(what=change.what, decode_tps=change.decode_tps, factor=change.factor)


def _another_card(best: Offer, box: Box, wish: Wish) -> Iterator[Help]:
    """A second card of the same kind, where there are cards."""
    if not box.gpus or any(gpu.kind != "gpu" or gpu.unified_memory for gpu in box.gpus):
        return
    more = replace(box, gpus=(*box.gpus, replace(box.gpus[0], id="another", memory_used_bytes=None)))
    found = _then(best.fit, more, wish)
    if found is not None:
        yield Help(
            what=f"one {box.gpus[0].name} more",
            decode_tps=found.tps,
            factor=found.tps / best.tps if best.found else None,
            max_context=found.max_context,
        )


def _more_room(best: Offer, box: Box, wish: Wish) -> Iterator[Help]:
    """The memory that other programs hold."""
    if not best.fit.when_emptied:
        return
    found = _then(best.fit, box.emptied(), wish)
    if found is not None:
        yield Help(
            what="ending the programs that hold memory now",
            decode_tps=found.tps,
            factor=found.tps / best.tps if best.found else None,
            max_context=found.max_context,
        )


def _then(placed: Fit, box: Box, wish: Wish) -> Offer | None:
    try:
        found = offer(None, fit(placed.facts, box, wish))
    except Unanswerable:
        return None
    return found if found.found else None
