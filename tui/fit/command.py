"""`llmtop fit`: runs it and prints the answer."""

import argparse
import sys
import textwrap
from collections.abc import Sequence

import msgspec

from ...estimator.catalogue.names import UnknownName
from ...estimator.snapshot import SCHEMA, Band
from ...estimator.terms import Unanswerable
from ..answer import width
from ..refusal import Refusal, WrongUsage
from .arguments import CONTEXT
from .box import AskedBox, asked_box
from .rows import GIB, Row, listed, wish
from .rows import row as plain

NONE = Band(value=0.0, low=0.0, high=0.0)


def fit(options: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        WrongUsage: a name is not known, or flags do not go together.
        Refusal: there is no answer.
    """
    try:
        if options.compare:
            from .compare_print import compare  # noqa: PLC0415

            return compare(options)
        if options.price_a or options.price_b or options.price:
            raise WrongUsage("prices are for --compare, which sets machines side by side")
        about = asked_box(options.hardware)
        if options.model is not None:
            return _deep(options, about)
        rows = listed(options, about)
        disk = _disk(options, about)
    except UnknownName as unknown:
        raise WrongUsage(str(unknown)) from None
    except Unanswerable as unanswerable:
        raise Refusal(str(unanswerable)) from None
    if options.json:
        sys.stdout.buffer.write(document(about, rows, disk) + b"\n")
        return 0
    from .table import comma_separated, markdown, text  # noqa: PLC0415 - a program that asks for JSON waits for none

    if options.csv:
        print(comma_separated([*disk, *rows]))  # noqa: T201
        return 0
    print(_head(options, about))  # noqa: T201
    if disk:
        shown = disk if options.all else disk[: options.top]
        print(f"On this disk\n\n{(markdown if options.markdown else text)(shown)}\n\nIn the catalogue\n")  # noqa: T201
    if not rows:
        raise Refusal(_nothing(options))
    print(markdown(rows) if options.markdown else text(rows))  # noqa: T201
    if not options.markdown:
        print(_foot(options, about, rows))  # noqa: T201
    return 0


def _deep(options: argparse.Namespace, about: AskedBox) -> int:
    """One model. Raises as `fit` does."""
    from ...estimator.depth import depth  # noqa: PLC0415
    from .model import offers_of  # noqa: PLC0415

    wanted = wish(options)
    row, notes = offers_of(options, about, wanted)
    found = depth(row, about.box, wanted)
    if options.json:
        fields = {"schema": SCHEMA, "hardware": _hardware(about), "models": [plain(each) for each in found.row]}
        fields |= {name: getattr(found, name) for name in ("contexts", "caches", "batch", "helps")}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(fields | {"notes": notes})) + b"\n")
        return 0
    if options.csv or options.markdown:
        from .table import comma_separated, markdown  # noqa: PLC0415

        rows = [plain(each) for each in found.row]
        print(comma_separated(rows) if options.csv else markdown(rows))  # noqa: T201
        return 0
    from .deep import text  # noqa: PLC0415

    print(_head(options, about, row[0].fit.facts.name))  # noqa: T201
    print(text(found))  # noqa: T201
    print("\n".join(_notes((*notes, *about.notes))))  # noqa: T201
    return 0


def _hardware(about: AskedBox) -> dict[str, object]:
    return {"words": about.words, "local": about.local, "gpus": about.box.gpus, "cpu": about.box.cpu}


def _disk(options: argparse.Namespace, about: AskedBox) -> list[Row]:
    """The models of this machine, when it is about this machine and about models of all kinds."""
    if not about.local or options.task or options.quant:
        return []
    from .disk import on_disk  # noqa: PLC0415

    limit = options.max_memory * GIB if options.max_memory else float("inf")
    return [each for each in on_disk(about, wish(options)) if each.memory_bytes <= limit]


def document(about: AskedBox, rows: list[Row], disk: list[Row]) -> bytes:
    """The JSON document."""
    fields = {"schema": SCHEMA, "hardware": _hardware(about), "on_disk": disk, "models": rows, "notes": about.notes}
    return msgspec.json.format(msgspec.json.encode(fields))


def _head(options: argparse.Namespace, about: AskedBox, model: str = "") -> str:
    free = "; with the memory that is free now" if about.local else ""
    what = f"{model} on {about.words}" if model else about.words
    line = f"{what} · {options.engine} · {options.context} tokens of context{free}"
    return "\n".join([*textwrap.wrap(line, width()), ""])


def _nothing(options: argparse.Namespace) -> str:
    """Why there is no row, by what was asked."""
    asked = [
        name
        for name, given in (
            ("less --context", options.context > CONTEXT),
            ("more --max-memory", options.max_memory),
            ("no --task", options.task),
            ("another --quant", options.quant),
        )
        if given
    ]
    return f"no model of the catalogue fits: ask for {' or '.join(asked or ['less --context'])}; --all shows them all"


def _foot(options: argparse.Namespace, about: AskedBox, rows: list[Row]) -> str:
    least = wish(options).least_tps
    reached = any((each.decode_tps or each.prefill_tps or NONE).value >= least for each in rows)
    first = f"models that reach {least:g} tok/s" if reached else f"models, none of which reaches {least:g} tok/s"
    words = (
        "TOK/S: one answer, with the range that 8 of 10 measurements fall into. The first rows are the most capable "
        f"{first}, each in the quantisation to take; --all shows the others, llmtop fit MODEL one in depth."
    )
    return "\n".join(["", *textwrap.wrap(words, width()), *_notes(about.notes)])


def _notes(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(f"note: {note}", width(), subsequent_indent="      ")]
