"""`--explain`: what a prediction is made of, which resource binds, and what would change it most."""

import textwrap
from collections.abc import Sequence

from ..estimator.batching import Batching, batching
from ..estimator.changes import Change, changes
from ..estimator.expected import ARITHMETIC, MEMORY, Part
from ..estimator.model import Load, decode_flops
from ..estimator.power_curve import Step, power_curve
from ..estimator.predict import Prediction
from .answer import LIMITS, width
from .asked import Asked
from .format import exact_rate, joules, percent, seconds, span, watts

BLOCKS = " ▏▎▍▌▋▊▉█"
WORDS = {
    "weights": "reading weights",
    "kv": "reading the KV cache",
    "core": "unpacking weights",
    "attention": "attention",
    "batch": "matrix work of the batch",
    "matrix": "matrix work",
    "layers": "fixed cost of the layers",
    "exchange": "waiting for other devices",
    "traffic": "data between devices",
    "hop": "passing on between devices",
}
"""What each term is, for a person."""
BATCH = 55
"""Cells of a line of the batch curve before its bar."""
BOUND = 20.0
"""FLOPs per byte up to which work counts as bound by bandwidth, by the rule of thumb."""


def explanation(about: Asked, found: Prediction) -> str:
    """All sections, each with a blank line above."""
    tokens = f"{found.streams:.0f} tokens" if found.streams > 1 else "a token"
    sections = [
        _bars(f"One decode step, {tokens}", found.terms["decode"]),
        _bars(f"One prompt of {about.question.prompt:.0f} tokens", found.terms["prefill"]),
        _binds(about, found),
        _rules(found),
        _changes(changes(about.question), found),
        batches(batching(about.question)),
        _power(power_curve(about.question)),
    ]
    return "\n".join(line for section in sections if section for line in ("", *section))


def bar(share: float, cells: int) -> str:
    """A share of 1 as blocks, to an eighth of a cell; what is not nothing shows."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    whole, rest = divmod(max(eighths, 1 if share > 0 else 0), 8)
    return ("█" * whole + (BLOCKS[rest] if rest else "")).ljust(cells)


def _bars(title: str, parts: Sequence[Part]) -> list[str]:
    """One line a term, terms of one name together, the longest first."""
    if not parts:
        return []
    merged: dict[str, Part] = {}
    for part in parts:
        seen = merged.get(part.name)
        bytes_ = (seen.bytes or 0.0) + (part.bytes or 0.0) if seen else part.bytes
        merged[part.name] = Part(
            name=part.name, seconds=part.seconds + (seen.seconds if seen else 0.0), bytes=bytes_ or None
        )
    whole = sum(part.seconds for part in merged.values())
    cells = max(min(width() - 58, 40), 8)
    lines = [f"{title}: {seconds(whole)}"]
    for part in sorted(merged.values(), key=lambda part: part.seconds, reverse=True):
        share = part.seconds / whole if whole else 0.0
        read = f"{part.bytes / 1e9:6.3g} GB" if part.bytes else ""
        name = WORDS.get(part.name, part.name)
        lines.append(f"  {name:<27} {_ms(part.seconds):>8}  {bar(share, cells)} {share:>5.0%} {read}".rstrip())
    return lines


def _binds(about: Asked, found: Prediction) -> list[str]:
    """Which resource binds, and how much work a byte brings beside what the machine is balanced for."""
    parts = found.terms["decode"]
    whole = sum(part.seconds for part in parts) or 1.0
    memory = sum(part.seconds for part in parts if part.name in MEMORY) / whole
    arithmetic = sum(part.seconds for part in parts if part.name in ARITHMETIC) / whole
    lines = [
        f"What binds: {LIMITS[found.limit]}",
        f"  memory {memory:.0%}, arithmetic {arithmetic:.0%}, fixed cost and exchange {1 - memory - arithmetic:.0%}",
    ]
    question = about.question
    load = Load(streams=found.streams, context_tokens=question.depth * found.streams)
    flops = decode_flops(question.facts, load)
    if flops and found.bytes_per_step:
        lines.append(f"  this step does {flops / found.bytes_per_step:.3g} FLOPs for each byte it reads")
    ridge = found.rules_of_thumb.get("flops / byte")
    if ridge:
        lines.append(
            f"  ridge point: {question.devices[0].name} could do {ridge:.0f} for each byte (peak over bandwidth)"
        )
    return lines


def _rules(found: Prediction) -> list[str]:
    rules = [(name, value) for name, value in found.rules_of_thumb.items() if name != "flops / byte"]
    if not rules:
        return []
    lines = ["Rules of thumb, beside the estimate and never used for it"]
    for name, value in sorted(rules, key=lambda rule: rule[1]):
        off = found.decode_tps.value / value / max(found.streams, 1.0)
        lines.append(f"  {name:<34} {exact_rate(value):>6} tok/s  the estimate is {percent(off)} of it")
    lines.append(f"  {'bound by bandwidth below':<34} {BOUND:>6.0f} FLOPs a byte")
    return lines


def _changes(found: Sequence[Change], now: Prediction) -> list[str]:
    return [
        f"What would change it most, from {exact_rate(now.decode_tps.value)} tok/s of all streams",
        *(
            f"  {change.what[:44]:<44} {exact_rate(change.decode_tps):>6} tok/s  {change.factor - 1:+7.1%}"
            for change in found
        ),
    ]


def batches(found: Batching, columns: int | None = None) -> list[str]:
    """The curve over the streams, one line a batch, and its knee; in so many columns, None for the terminal's."""
    lines = [f"Batching {'streams':>11} {'tok/s':>9} {'each':>8}  range"]
    top = max(point.decode_tps.value for point in found.points)
    room = columns or width()
    cells, ranged = min(room - BATCH, 24), room >= BATCH
    if not ranged:
        lines = [lines[0].removesuffix("  range")]
    for point in found.points:
        band = point.decode_tps
        line = f"{point.streams:>20} {exact_rate(band.value):>9} {exact_rate(point.each_tps):>8}"
        line += f"  {span(band.low, band.high):<13}" if ranged else ""
        lines.append((line + (f" {bar(band.value / top, cells)}" if cells >= 8 else "")).rstrip())
    if found.knee:
        lines += _wrapped(
            f"knee: from {found.knee} streams on their own work (matrices, cache) takes longer than what they share "
            "(weights, layers); half of what batching can ever bring is reached there",
            columns,
        )
    if found.most_streams is not None:
        held = f"{found.most_streams} streams" if found.most_streams != 1 else "1 stream"
        lines += _wrapped(
            f"the memory holds {held if found.most_streams else 'not one stream'} of this length", columns
        )
    return lines


def _power(found: Sequence[Step]) -> list[str]:
    if not found:
        return []
    stock = found[0].power_limit_w
    return [f"Power limits, of the stock {watts(stock)}", *(_limited(step, stock) for step in found)]


def _limited(step: Step, stock_w: float) -> str:
    limit = f"  {watts(step.power_limit_w):>7} ({step.power_limit_w / stock_w:.0%})"
    risk = "  may collapse" if step.problem else ""
    return (
        f"{limit:<20}{percent(step.kept):>7} of the speed {exact_rate(step.decode_tps):>8} tok/s "
        f"{joules(step.joules_per_token):>8} a token{risk}"
    )


def _ms(value: float) -> str:
    return f"{value * 1e3:.{2 if value < 0.01 else 1 if value < 0.1 else 0}f} ms" if value < 10.0 else f"{value:.0f} s"


def _wrapped(words: str, columns: int | None = None) -> list[str]:
    return textwrap.wrap(words, columns or width(), initial_indent="  ", subsequent_indent="  ")
