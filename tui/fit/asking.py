"""What the screen of the monitor asks of `llmtop fit`, and the answer: the same options, the same rows."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from ...estimator.catalogue.names import UnknownName
from ...estimator.depth import Depth, depth
from ...estimator.snapshot import Snapshot
from ...estimator.terms import Unanswerable
from ...probes.models.stores.stored import Stored
from ...probes.sample import ModelFacts
from ..arguments import parser
from ..here import worthwhile
from ..refusal import Refusal, WrongUsage
from .ask import Ask
from .box import AskedBox, asked_box, local_box
from .disk import rows_of
from .model import offers_of
from .rows import Row, listed, wish

EVERY = 1_000_000
"""More models than there are."""


class Answer(Struct, frozen=True, kw_only=True):
    """What was asked, and what there is to show."""

    ask: Ask
    about: AskedBox | None = None
    """None where the machine is not known."""
    rows: Sequence[Row] = ()
    """Of the catalogue, the most worthwhile first."""
    vectors: Sequence[Row] = ()
    """Those of the catalogue that make vectors of a text, and generate nothing."""
    disk: Sequence[Row] = ()
    """What is on this machine."""
    problem: str = ""
    """Why there is nothing, in a line."""
    misread: bool = False
    """Whether it is the description of the hardware that makes no sense."""


class Study(NamedTuple):
    """One model in depth."""

    name: str
    words: str
    """What it runs on."""
    depth: Depth
    notes: tuple[str, ...]


def answer(ask: Ask, snapshot: Snapshot, stored: Sequence[tuple[Stored, ModelFacts]], *, replay: bool) -> Answer:
    """Some tenths of a second of work.

    Args:
        ask: the question.
        snapshot: whose devices are this machine.
        stored: the models on its disk.
        replay: whether it is a recording, so that nothing can be measured.
    """
    try:
        about = asked_box([ask.hardware]) if ask.hardware else own_box(snapshot)
    except (UnknownName, WrongUsage) as wrong:
        return Answer(ask=ask, problem=str(wrong), misread=True)
    if about is None:
        return Answer(ask=ask, problem=_unmeasured(snapshot, replay=replay))
    options = _options(ask)
    try:
        rows = listed(options, about)
        options.task = "embed"
        vectors = () if ask.task else listed(options, about)
        disk = rows_of(stored, about, wish(options)) if about.local and not ask.task else ()
    except (UnknownName, WrongUsage, Unanswerable) as problem:
        return Answer(ask=ask, about=about, problem=str(problem))
    return Answer(ask=ask, about=about, rows=rows, vectors=vectors, disk=disk)


def study(ask: Ask, about: AskedBox, row: Row) -> Study | str:
    """All about the model of a row, as `llmtop fit MODEL` tells it; or why that cannot be told, in a line."""
    options = _options(ask)
    options.model = row.model
    wanted = wish(options)
    try:
        found, notes = offers_of(options, about, wanted, None if row.store else row.quant)
        return Study(found[0].fit.facts.name, about.words, depth(found, about.box, wanted), (*notes, *about.notes))
    except (UnknownName, WrongUsage, Refusal, Unanswerable) as problem:
        return str(problem)


def own_box(snapshot: Snapshot) -> AskedBox | None:
    """The machine of the monitor, or of the recording; None while its bandwidth is not known."""
    cpu = next((device for device in snapshot.devices if device.kind == "cpu"), None)
    gpus = worthwhile([device for device in snapshot.devices if device.kind != "cpu"])
    return local_box(gpus, cpu, ())


def _unmeasured(snapshot: Snapshot, *, replay: bool) -> str:
    if not snapshot.devices:
        return "The devices of this machine are not read yet. Or press h to name other hardware."
    cpu = next((f" ({device.name})" for device in snapshot.devices if device.kind == "cpu"), "")
    what = "was not known when this was recorded: " if replay else "is not known: press m to measure it, or "
    return f"The memory bandwidth of this machine{cpu} {what}press h to name other hardware."


def _options(ask: Ask) -> argparse.Namespace:
    """Those of the command line, so that what nobody asks for is the same in both."""
    options = parser().parse_args(["fit"])
    options.engine, options.context, options.all, options.top = ask.engine, ask.context, ask.everything, EVERY
    options.kv, options.min_tps, options.task = ask.kv, ask.least_tps, ask.task
    return options
