"""A machine as a person describes it: "2x RTX 3090 + 64GB", "M4 Max 40c 64GB", "EPYC 9354 12xDDR5-4800 384GB".

Parts stand between "+", "," or "and". A part is a name in the catalogue with a count before it and a size of memory
behind it; a size alone, with or without the kind of memory, is the RAM of a machine whose CPU is not named.
"""

import re

from msgspec.structs import replace

from ...probes.sample import Bandwidth, Device
from .devices import device
from .names import UnknownName

LONGEST = 200
MOST = 64
"""Devices of one kind."""
_BETWEEN = re.compile(r"\s*(?:\+|,|\band\b|&)\s*", re.IGNORECASE)
_COUNT = re.compile(r"(\d{1,3})\s*[x×]\s*(?=\S)(?!L?P?DDR)", re.IGNORECASE)
_CHANNELS = re.compile(
    r"(?:(\d{1,2})\s*[x×]\s*|(\d{1,2})[- ]channels?\s+(?:of\s+)?|(dual|quad)[- ]channel\s+)?"
    r"((?:LP)?DDR\d\w?)[- ](\d{3,5})(?:\s*MT/s|\s*MHz)?",
    re.IGNORECASE,
)
_RAM = re.compile(r"(?:^|\s)(\d{1,5})\s*(G|T)i?B?(?:\s+(?:of\s+)?(?:RAM|memory|system\s+memory))?$", re.IGNORECASE)
_WORDS = {"dual": 2, "quad": 4}
_ARTICLE = re.compile(r"^(?:an?|one|my|the)\s+", re.IGNORECASE)
_SIZE_FIRST = re.compile(r"^(\d{1,4})\s*G(?:i?B)?\s+(\S.*)$", re.IGNORECASE)
SERIES = ("RTX", "RX", "GTX", "Arc")
"""What people leave out before the number of a card."""
USUAL_GBS = 51.2
"""Two channels at 3200 MT/s: taken for RAM of which only the size is known."""


def machine(text: str) -> list[Device]:
    """The devices of a described machine, each with an id of its own.

    Raises:
        UnknownName: a part is in no catalogue, or may be several; or it is no description at all.
    """
    parts = [part for part in _BETWEEN.split(text[:LONGEST].strip()) if part]
    if not parts:
        raise UnknownName("no hardware is named")
    found: list[Device] = []
    for part in parts:
        found += [replace(each, id=f"{each.name} {len(found) + at}") for at, each in enumerate(_part(part))]
    return found


def _part(text: str) -> list[Device]:
    text = _ARTICLE.sub("", text)
    counted = _COUNT.match(text)
    times, rest = (int(counted[1]), text[counted.end() :]) if counted else (1, text)
    if not 1 <= times <= MOST:
        raise UnknownName(f"{text!r}: there may be 1 to {MOST} of a kind")
    try:
        found = _named(rest)
    except UnknownName as unknown:
        return [_with_memory(rest, times, unknown)]
    return [_sockets(found, times)] if found.kind == "cpu" else [found] * times


def _named(text: str) -> Device:
    """By its name, with the size before or behind it, and without the series that everybody knows."""
    sized = _SIZE_FIRST.match(text)
    tried = [text, *([f"{sized[2]} {sized[1]}GB", sized[2]] if sized else [])]
    tried += [f"{series} {name}" for name in tried if name[:2].strip("AB")[:1].isdigit() for series in SERIES]
    unknown: UnknownName | None = None
    for name in tried:
        try:
            return device(name).as_device("")
        except UnknownName as error:
            unknown = unknown or error
    raise unknown or UnknownName(f"unknown hardware {text!r}")


def _sockets(cpu: Device, times: int) -> Device:
    """Several CPUs of one machine are one device."""
    if times == 1:
        return cpu
    peak, rates = cpu.bandwidth_gbs.peak, cpu.compute_tflops
    return replace(
        cpu,
        name=f"{times} x {cpu.name}",
        cores=cpu.cores * times if cpu.cores else None,
        bandwidth_gbs=replace(cpu.bandwidth_gbs, peak=peak * times if peak else None),
        compute_tflops=replace(
            rates,
            fp32=rates.fp32 * times if rates.fp32 else None,
            fp16=rates.fp16 * times if rates.fp16 else None,
            int8=rates.int8 * times if rates.int8 else None,
        ),
        power_limit_default_w=cpu.power_limit_default_w * times if cpu.power_limit_default_w else None,
    )


def _with_memory(text: str, times: int, unknown: UnknownName) -> Device:
    """A CPU, or nothing but RAM, with the channels and the size of the whole machine behind it."""
    ram = _RAM.search(text)
    size_bytes = int(ram[1]) << (40 if ram[2].upper() == "T" else 30) if ram else None
    rest = text[: ram.start()] if ram else text
    channels = _CHANNELS.search(rest)
    name = (rest[: channels.start()] + rest[channels.end() :]).strip() if channels else rest.strip()
    if channels is None and ram is None:
        raise unknown
    try:
        row = _sockets(device(name).as_device(""), times) if name else _nameless(channels is not None)
    except UnknownName:
        raise unknown from None
    if row.kind != "cpu":
        raise unknown
    return replace(
        row,
        memory_total_bytes=size_bytes,
        bandwidth_gbs=_bandwidth(channels) if channels else row.bandwidth_gbs,
        memory_type=_type(channels[4]) if channels else row.memory_type,
    )


def _nameless(told: bool) -> Device:
    basis = None if told else "two channels of DDR4-3200, assumed"
    return Device(
        id="",
        name="CPU",
        vendor="",
        kind="cpu",
        bandwidth_gbs=Bandwidth(peak=USUAL_GBS, basis=basis),
        memory_type="DDR",
        cores=8,
    )


def _bandwidth(found: re.Match[str]) -> Bandwidth:
    """Channels of 64 bits; two where their number is not said."""
    many = int(found[1] or found[2] or _WORDS.get((found[3] or "dual").casefold(), 2))
    assumed = "" if found[1] or found[2] or found[3] else ", two channels assumed"
    mts = int(found[5])
    return Bandwidth(peak=many * mts * 8 / 1000, basis=f"{many} x {found[4].upper()}-{mts}{assumed}")


def _type(word: str) -> str:
    return "LPDDR" if word.upper().startswith("LP") else "DDR"
