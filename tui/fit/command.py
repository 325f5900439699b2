"""`llmtop fit`: runs it and prints the answer."""

import argparse
import sys
import textwrap
from collections.abc import Sequence

import msgspec

from ...estimator.catalogue.names import UnknownName
from ...estimator.fit import READING_TPS
from ...estimator.snapshot import SCHEMA, Band
from ...estimator.terms import Unanswerable
from ..answer import width
from ..asked_names import asked_engine
from ..refusal import Refusal, WrongUsage
from .box import AskedBox, asked_box
from .nothing import nothing
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
        raise Refusal(nothing(options))
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

    print(_head(options, about, row[0].fit.facts.name, row[0].fit.facts.context_length))  # noqa: T201
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


def _head(options: argparse.Namespace, about: AskedBox, model: str = "", limit: int | None = None) -> str:
    free = "; with the memory that is free now" if about.local else ""
    what = f"{model} on {about.words}" if model else about.words
    longest = min(options.context, limit or options.context)
    line = f"{what} · {asked_engine(options.engine).name} · {longest} tokens of context{free}"
    return "\n".join([*textwrap.wrap(line, width()), ""])


def _foot(options: argparse.Namespace, about: AskedBox, rows: list[Row]) -> str:
    """What to take, and what the columns say."""
    words = (
        f"{_first(wish(options).least_tps, rows)} TOK/S: of one answer, with the range of 8 in 10 measurements. "
        "QUANT: how small the weights are packed. --all shows the others, llmtop fit MODEL one in depth."
    )
    return "\n".join(["", *textwrap.wrap(words, width()), *_notes(about.notes)])


def _first(least: float, rows: list[Row]) -> str:
    if not any(_rate(each) >= least for each in rows):
        return f"First comes the most capable of models none of which reaches {least:g} tok/s."
    reads = least == READING_TPS and rows[0].decode_tps
    pace = f"that are as fast as one reads ({least:g} tok/s)" if reads else f"that reach {least:g} tok/s"
    whole = next((each for each in rows if each.runs_on == "gpu" and _rate(each) >= least), None)
    other = f"; all on the GPU: {whole.model}" if whole and rows[0].runs_on == "gpu+cpu" else ""
    return f"Take the first: the most capable of those {pace}{other}."


def _rate(row: Row) -> float:
    return (row.decode_tps or row.prefill_tps or NONE).value


def _notes(notes: Sequence[str]) -> list[str]:
    return [line for note in notes for line in textwrap.wrap(f"note: {note}", width(), subsequent_indent="      ")]
