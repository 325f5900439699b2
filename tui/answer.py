"""One prediction as text: the answer first, what it rests on below."""

import shutil
import textwrap

from ..estimator.memory import usable
from ..estimator.model import Load, kv_bytes_read, state_bytes
from ..estimator.predict import Prediction
from ..estimator.published import published
from ..estimator.snapshot import Band
from .asked import Asked
from .format import exact_rate, joules, percent, seconds, size, span, used_of, watts

LABEL = 14
WIDEST = 110
"""Columns that lines are folded at on a wide terminal."""
LIMITS = {
    "bandwidth": "reading memory takes most of a step",
    "compute": "arithmetic takes most of a step",
    "overhead": "the fixed cost of each layer's kernels takes most of a step",
}


def width() -> int:
    """Columns of the terminal, or of `COLUMNS`."""
    return max(min(shutil.get_terminal_size().columns, WIDEST), 40)


def text(about: Asked, found: Prediction) -> str:
    """The whole answer."""
    question, band = about.question, found.decode_tps
    rows = [("prefill", _prefill(about, found)), ("throughput", _throughput(about, found))]
    rows += [("memory", _memory(about, found)), ("power", _power(about, found)), ("limit", _limit(about, found))]
    rows += [("published", _published(about)), ("rule of thumb", _rules(found)), ("basis", _basis(about, found))]
    rows += [("note", note) for note in about.notes]
    if found.draw and found.draw.problem:
        rows.append(("note", found.draw.problem))
    fits = "DOES NOT FIT: " if found.fits is False else ""
    streams = f" of {found.streams:.0f} streams, {exact_rate(found.decode_tps.value / found.streams)} each"
    load = f"{found.streams:.0f} x " if found.streams > 1 else ""
    build = f", built {question.software.year:.0f}" if question.software.year else ""
    runs = question.software
    speed = f"{fits}{exact_rate(band.value)} tok/s decode ({span(band.low, band.high)})"
    thing = [" ".join(filter(None, (about.model, about.quant))), f"{runs.engine.name}, {runs.backend}{build}"]
    thing += [about.hardware_words, f"{load}{question.depth:.0f} tokens in the cache"]
    head = [speed + (streams if found.streams > 1 else "") + _of_ceiling(found), " · ".join(thing)]
    lines = [line for part in head for line in textwrap.wrap(part, width())]
    return "\n".join([*lines, "", *(line for label, value in rows if value for line in labelled(label, value))])


def labelled(label: str, value: str, columns: int | None = None) -> list[str]:
    """A label and its text, folded under itself at so many columns, None for those of the terminal."""
    indent = " " * (LABEL + 2)
    return textwrap.wrap(value, columns or width(), initial_indent=f"  {label:<{LABEL}}", subsequent_indent=indent)


def _banded(band: Band) -> str:
    return f"{exact_rate(band.value)} ({span(band.low, band.high)})"


def _of_ceiling(found: Prediction) -> str:
    roof = found.ceiling.decode_tps
    if roof is None:
        return f" · no ceiling: {found.ceiling.reason}" if found.ceiling.reason else ""
    return f" · {percent(found.decode_tps.value / roof)} of the {exact_rate(roof)} ceiling"


def _prefill(about: Asked, found: Prediction) -> str:
    if found.prefill_tps is None or found.ttft_s is None:
        return ""
    wait = found.ttft_s
    return (
        f"{_banded(found.prefill_tps)} tok/s · first token of {about.question.prompt:.0f} after {seconds(wait.value)} "
        f"({seconds(wait.low)} to {seconds(wait.high)})"
    )


def _throughput(about: Asked, found: Prediction) -> str:
    if found.prefill_tps is None:
        return ""
    return (
        f"{_banded(found.throughput_tps)} tok/s with prompts of {about.question.prompt:.0f} read in between, "
        f"{about.question.generate:.0f} generated each"
    )


def _memory(about: Asked, found: Prediction) -> str:
    question = about.question
    used = sum(device.memory_used_bytes or 0 for device in question.devices)
    total = about.usable_bytes
    said = f"{used_of(found.memory_bytes, total)} usable" if total is not None else f"{size(found.memory_bytes)} needed"
    if about.local and used and total is not None:
        said += f" ({size(used)} in use now)"
    if found.fits is False:
        said += f", {size(found.missing_bytes)} missing"
        partial = question.software.engine.kin == "llama.cpp" and question.devices[0].kind != "cpu"
        said += "; the speed is with a part on the host's CPU" if partial else "; the speed is as if it fitted"
        said += _host_room(about, found) if partial else ""
        return f"{said}{_longest(about, found, 'but it would fit with')}"
    if total is None:
        return f"{said}; whether that fits is not known: {_unknown_memory(about)}"
    return f"{said}; it fits{_longest(about, found, 'up to')}"


def _host_room(about: Asked, found: Prediction) -> str:
    """That the RAM beside the devices is too small for the rest, where its size is known."""
    host = about.question.host
    room = usable(host) if host else None
    if room is None or found.missing_bytes <= room:
        return ""
    return f", which has no room for it either: {size(found.missing_bytes - room)} are missing there"


def _unknown_memory(about: Asked) -> str:
    names = dict.fromkeys(device.name for device in about.question.devices if device.memory_total_bytes is None)
    return f"{' and '.join(names)} may have any size of memory"


def _longest(about: Asked, found: Prediction, words: str) -> str:
    if found.longest_context is None:
        return ""
    limit = ", the model's limit" if found.longest_context == about.question.facts.context_length else ""
    each = " each" if found.streams > 1 else ""
    return f", {words} {found.longest_context} tokens of context{each}{limit}"


def _power(about: Asked, found: Prediction) -> str:
    draw = found.draw
    if draw is None:
        return ""
    limit, devices = about.question.power_limit_w, about.question.devices
    stock = devices[0].power_limit_default_w
    each = " each" if len(devices) > 1 else ""
    said = f"{watts(draw.power_w)}, {joules(draw.joules_per_token)} a token"
    if limit is not None:
        said += f" · limit {watts(limit)}{each}: {percent(draw.kept)} of the speed at the stock {watts(stock)} is kept"
    elif stock and len({device.power_limit_default_w for device in devices}) == 1:
        said += f" · stock limit {watts(stock)}{each}"
    return said


def _limit(about: Asked, found: Prediction) -> str:
    question = about.question
    load = Load(
        streams=found.streams,
        context_tokens=question.depth * found.streams,
        kv_bytes_per_element=question.kv_bytes_per_element,
    )
    cache = (kv_bytes_read(question.facts, load) or 0.0) + state_bytes(question.facts) * found.streams
    weights = max(found.bytes_per_step - cache, 0.0)
    return f"{LIMITS[found.limit]}: {_gigabytes(weights)} of weights and {_gigabytes(cache)} of cache"


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.0f} GB" if count >= 99.95e9 else f"{count / 1e9:.3g} GB"


def _published(about: Asked) -> str:
    near = published(about.question)
    if not near:
        return ""
    first = near[0]
    said = f"{exact_rate(first.decode_tps)} tok/s measured at {first.context_tokens:.0f} tokens ({first.source})"
    if len(near) > 1:
        rates = [each.decode_tps for each in near]
        said += f"; {len(near)} such rows, {span(min(rates), max(rates))}"
    return said


def _rules(found: Prediction) -> str:
    """The rules of thumb for decoding, smallest first."""
    rules = {name: value for name, value in found.rules_of_thumb.items() if name != "flops / byte"}
    if not rules:
        return ""
    shown = [f"{exact_rate(value)} {name}" for name, value in sorted(rules.items(), key=lambda rule: rule[1])]
    return " · ".join(shown)


def _basis(about: Asked, found: Prediction) -> str:
    """What it rests on, without the sources of the catalogue's row: those stand in the JSON."""
    device = about.question.devices[0].bandwidth_gbs.basis or ""
    return found.basis.replace(device, device.split(" (")[0]) if device.startswith("catalogue") else found.basis
