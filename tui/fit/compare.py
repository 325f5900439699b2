"""`llmtop fit --compare`: the same models on several machines."""

import argparse
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from ...estimator.catalogue.machine_words import machine
from ...estimator.catalogue.models import model as known_model
from ...estimator.catalogue.models import models
from ...estimator.catalogue.names import UnknownName
from ...estimator.compare import Entry
from ...estimator.fit import Wish
from ...estimator.offers import Offer, of_model, small_format, worth
from ...estimator.terms import Unanswerable
from ..asked_names import asked_format
from ..refusal import Refusal, WrongUsage
from .box import AskedBox, asked_box
from .model import offers_of
from .rows import GIB, asked_task, long_enough, wish

LETTERS = "ABCDEF"
HERE = frozenset({"here", "this", "this machine"})


class Line(Struct, frozen=True, kw_only=True):
    """One model in one quantisation on all machines, in their order."""

    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """Of the model."""
        offer = self.entries[0].offer
        return offer.model.name if offer.model else offer.fit.facts.name

    @property
    def quant(self) -> str | None:
        """Of all entries."""
        return self.entries[0].offer.fit.facts.quantization


class Compared(Struct, frozen=True, kw_only=True):
    """The machines and the lines."""

    machines: tuple[AskedBox, ...]
    prices: tuple[float | None, ...]
    lines: tuple[Line, ...]
    """What is shown, the most capable model first."""
    every: tuple[Line, ...]
    """What is counted: all models that were asked about."""
    notes: tuple[str, ...]
    one: bool
    """Whether it is about one model."""


def compared(options: argparse.Namespace) -> Compared:
    """Answers it.

    Raises:
        UnknownName: a part of a machine, or a model, is in no catalogue.
        WrongUsage: an engine or a format is not known, flags do not go together, or there are too many machines.
        Refusal: this machine has not been measured, or a machine cannot run the engine.
    """
    words, model = _words(options)
    options.model = model
    boxes = tuple(asked_box([] if each.casefold() in HERE else [each]) for each in words)
    prices = _prices(options, len(boxes))
    wanted = wish(options)
    notes = dict.fromkeys(note for box in boxes for note in box.notes)
    if model:
        found: list[tuple[list[Offer], tuple[str, ...]]] = []
        for box in boxes:
            with _about(box):
                found.append(offers_of(options, box, wanted))
        notes |= dict.fromkeys(note for _, some in found for note in some)
        columns = [{each.fit.facts.quantization: each for each in offers} for offers, _ in found]
        lines = [
            _line([column[name] for column in columns], prices)
            for name, _ in sorted(columns[0].items(), key=lambda item: -item[1].fit.needed_bytes)
            if all(name in column for column in columns)
        ]
        return Compared(
            machines=boxes, prices=prices, lines=tuple(lines), every=tuple(lines), notes=tuple(notes), one=True
        )
    every = [_line(row, prices) for row in _all(options, boxes, wanted)]
    shown = [line for line in every if any(each.offer.found for each in line.entries)]
    return Compared(
        machines=boxes,
        prices=prices,
        lines=tuple(shown if options.all else shown[: options.top]),
        every=tuple(every),
        notes=tuple(notes),
        one=False,
    )


def _words(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """The machines, and the model, which may stand behind them; one machine alone is held against this one."""
    words, model = list(options.compare), options.model
    if options.hardware:
        raise WrongUsage("--compare names the machines itself: --hardware does not go with it")
    if options.task == "embed":
        raise WrongUsage("--compare is about models that generate tokens: those of --task embed make none")
    if model is None and len(words) > 1 and not _is_machine(words[-1]) and _like_model(words[-1]):
        model = words.pop()
    if len(words) == 1 and words[0].casefold() not in HERE:
        words.insert(0, "here")
    if not 2 <= len(words) <= len(LETTERS):
        raise WrongUsage(f"--compare takes 2 to {len(LETTERS)} machines, each in quotes: 'RTX 5090' 'M4 Max 40c 64GB'")
    return words, model


def _is_machine(text: str) -> bool:
    try:
        return text.casefold() in HERE or bool(machine(text))
    except UnknownName as unknown:
        return not unknown.brief.startswith("unknown")  # it may be several, or none has this size


def _like_model(text: str) -> bool:
    """Whether it is a model, or nearer to the name of one than to that of a machine."""
    try:
        return bool(known_model(text))
    except UnknownName as unknown:
        return "nearest" in str(unknown) or text.endswith(".gguf") or any(sign in text for sign in "/:")


def _prices(options: argparse.Namespace, count: int) -> tuple[float | None, ...]:
    """One a machine, or None."""
    named = [options.price_a, options.price_b]
    given = list(options.price)
    if given and any(named):
        raise WrongUsage("--price is for all machines in turn: --price-a and --price-b do not go with it")
    if len(given) not in {0, count}:
        raise WrongUsage(f"--price is given once for each machine: {count} times, not {len(given)}")
    return tuple(given or [*named, *[None] * (count - len(named))])


def _all(options: argparse.Namespace, boxes: Sequence[AskedBox], wanted: Wish) -> list[list[Offer]]:
    """Each model in the same quantisation on all machines, the one that is worth most on any of them first."""
    only = asked_format(options.quant, wanted.engine).name if options.quant is not None else None
    rows: list[list[Offer]] = []
    for model in models().values():
        if not (asked_task(model, options.task) and long_enough(model, options.context)):
            continue
        names = [only or small_format(model, wanted.engine)]
        row: list[Offer] = []
        for box in boxes:
            with _about(box):
                row += of_model(model, box.box, wanted, names)
        if not options.max_memory or row[0].fit.needed_bytes <= options.max_memory * GIB:
            rows.append(row)
    return sorted(rows, key=lambda row: max((each.tps >= wanted.least_tps, worth(each)) for each in row), reverse=True)


def _line(row: Sequence[Offer], prices: Sequence[float | None]) -> Line:
    return Line(entries=tuple(Entry(offer=offer, price=price) for offer, price in zip(row, prices, strict=True)))


@contextmanager
def _about(box: AskedBox) -> Generator[None]:
    """What cannot be answered is said of the machine that it is about."""
    try:
        yield
    except Unanswerable as unanswerable:
        raise Refusal(f"{box.words}: {unanswerable}") from None
