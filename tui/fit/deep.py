"""`llmtop fit MODEL`: one model in depth, as text."""

import textwrap

from ...estimator.depth import Depth, Help
from ..answer import LIMITS, labelled, width
from ..explain import batches
from ..format import exact_rate, percent, seconds, size, span
from .columns import Form, fitting
from .rows import row
from .table import place, short_place, tokens

HEAD = ("", "QUANT", "TOK/S", "NEEDS", "RUNS ON", "CONTEXT", "PREFILL", "1ST TOKEN")


def text(found: Depth) -> str:
    """The sections, with a blank line between them."""
    return "\n\n".join("\n".join(section) for section in sections(found))


def sections(found: Depth, columns: int | None = None) -> list[list[str]]:
    """The lines of each section in so many columns, None for those of the terminal."""
    made = [_quantisations(found, columns)]
    if not found.chosen.reads_only:  # it makes no next token: neither with a full context nor with many streams
        made += [_contexts(found, columns), _caches(found, columns), _batches(found, columns)]
        made += [_binds(found, columns), _helps(found, columns)]
    return [section for section in made if section]


def _quantisations(found: Depth, columns: int | None) -> list[str]:
    cells: list[tuple[str, ...]] = [HEAD]
    brief: list[tuple[str, ...]] = [HEAD]
    for each in found.row:
        line = row(each)
        band, wait = line.decode_tps, line.ttft_s
        cells.append(
            (
                "*" if each.fit is found.chosen.fit else "",
                line.quant or "–",
                f"{exact_rate(band.value)} ({span(band.low, band.high)})" if band else "–",
                size(line.memory_bytes),
                place(line),
                tokens(line.max_context),
                exact_rate(line.prefill_tps.value) if line.prefill_tps else "–",
                seconds(wait.value) if wait else "–",
            )
        )
        brief.append((*cells[-1][:4], short_place(line), *cells[-1][5:]))
    return fitting([Form(cells, range(5)), Form(brief, (0, 1, 2, 4))], columns=columns)


def _contexts(found: Depth, columns: int | None) -> list[str]:
    if not found.contexts:
        return []
    name = found.chosen.fit.facts.quantization or "it"
    cells: list[tuple[str, ...]] = [("CONTEXT", "TOK/S", "RUNS ON")]
    for each in found.contexts:
        band = each.decode_tps
        where = {"gpu": "GPU", "cpu": "CPU"}.get(each.runs_on, "GPU and CPU")
        cells.append((tokens(each.context), f"{exact_rate(band.value)} ({span(band.low, band.high)})", where))
    return [f"{name} with the context full", *fitting([Form(cells, (0, 1))], 2, columns)]


def _caches(found: Depth, columns: int | None) -> list[str]:
    known = [each for each in found.caches if each.max_context is not None]
    if not known:
        return []
    words = ", ".join(f"{tokens(each.max_context)} with {each.kv}" for each in known)
    return labelled("KV cache", f"the longest context is {words}", columns)


def _batches(found: Depth, columns: int | None) -> list[str]:
    return batches(found.batch, columns) if found.batch and found.batch.most_streams != 0 else []


def _binds(found: Depth, columns: int | None) -> list[str]:
    made = found.chosen.found
    if made is None:
        missing = found.chosen.fit.needed_bytes - found.chosen.fit.free_bytes
        return textwrap.wrap(f"It does not fit: {size(missing)} of memory are missing.", columns or width())
    roof = made.ceiling.decode_tps
    of = f", {percent(made.decode_tps.value / roof)} of the {exact_rate(roof)} ceiling" if roof else ""
    return labelled("binds", f"{LIMITS[made.limit]}{of}", columns) + labelled("basis", made.basis, columns)


def _helps(found: Depth, columns: int | None) -> list[str]:
    if not found.helps:
        return []
    room = columns or width()
    lines = [textwrap.wrap(_help(each), room, initial_indent="  ", subsequent_indent="    ") for each in found.helps]
    return ["What would help", *(line for wrapped in lines for line in wrapped)]


def _help(each: Help) -> str:
    times = f", {exact_rate(each.factor)}x" if each.factor else ""
    longest = f", context {tokens(each.max_context)}" if each.max_context else ""
    return f"{each.what}: {exact_rate(each.decode_tps)} tok/s{times}{longest}"
