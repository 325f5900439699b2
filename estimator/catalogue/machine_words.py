"""A machine as a person describes it: "2x RTX 3090 + 64GB", "M4 Max 40c 64GB", "EPYC 9354 12xDDR5-4800 384GB".

Parts stand between "+", "," or "and". A part is a name in the catalogue with a count before it and a size of memory
behind it; a size alone, with or without the kind of memory, is the RAM of a machine whose CPU is not named, and so is
one behind a card that is called RAM.
"""

import re

from msgspec.structs import replace

from ...probes.sample import Bandwidth, Device
from .devices import device, device_names, devices
from .names import UnknownName

LONGEST = 200
MOST = 64
"""Devices of one kind."""
_BETWEEN = re.compile(r"\s*(?:\+|,|\band\b|\bwith\b(?=\s*\d)|&)\s*", re.IGNORECASE)
_COUNT = re.compile(r"(\d{1,3}|\d{5,9})\s*[x×]\s*(?=\S)(?!L?P?DDR)", re.IGNORECASE)
_CHANNELS = re.compile(
    r"(?:\b(\d{1,2})\s*[x×]\s*|(\d{1,2})[- ]channels?\s+(?:of\s+)?|(dual|quad)[- ]channel\s+)?"
    r"((?:LP)?DDR\d\w?)[- ](\d{3,5})(?:\s*MT/s|\s*MHz)?",
    re.IGNORECASE,
)
_RAM = re.compile(r"(?:^|\s)(\d{1,5})\s*(G|T)i?B?(?:\s+(?:of\s+)?(?:RAM|memory|system\s+memory))?$", re.IGNORECASE)
_SYSTEM = re.compile(r"\bRAM$", re.IGNORECASE)
"""What a size is called that is no card's."""
_VRAM = re.compile(r"(?<=[GB])\s+(?:of\s+)?VRAM\b", re.IGNORECASE)
_WORDS = {"dual": 2, "quad": 4}
_ARTICLE = re.compile(r"^(?:an?|one|my|the)\s+", re.IGNORECASE)
_SIZE_FIRST = re.compile(r"^(\d{1,4})\s*G(?:i?B)?\s+(\S.*)$", re.IGNORECASE)
_SIZE_LAST = re.compile(r"\s+\d+\s?GB$", re.IGNORECASE)
_KIND = re.compile(r"\s*\b((?:LP)?DDR([345])X?)\b(?![- ]\d{3,5}\b)", re.IGNORECASE)
"""RAM of which no more is said than its generation."""
_RAM_FIRST = re.compile(r"^(.*?)\b(\d{1,5}\s*[GT]i?B?)\s+(?:of\s+)?(\S*\s*(?:LP)?DDR.*)$", re.IGNORECASE)
NAMELESS = "CPU"
SERIES = ("RTX", "RX", "GTX", "Arc")
"""What people leave out before the number of a card."""
USUAL_GBS = 51.2
"""Two channels at 3200 MT/s: taken for RAM of which only the size is known."""
USUAL_MTS = {"3": 1600, "4": 3200, "5": 4800}
"""By generation the rate of the usual modules; of DDR5 the lowest of JEDEC's JESD79-5."""


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
        found += _part(part)
    return [replace(each, id=f"{each.name} {at}") for at, each in enumerate(_one_cpu(found))]


def _one_cpu(found: list[Device]) -> list[Device]:
    """RAM that stands for itself beside a CPU is that CPU's."""
    ram = [each for each in found if each.name == NAMELESS]
    bare = [each for each in found if each.kind == "cpu" and each.name != NAMELESS and each.memory_total_bytes is None]
    if len(ram) != 1 or len(bare) != 1:
        return found
    told, known = ram[0].bandwidth_gbs, bare[0].bandwidth_gbs
    sure = told.basis is not None and "assumed" not in told.basis
    faster = told.basis is not None and told.basis[:1].isdigit() and (told.peak or 0.0) > (known.peak or 0.0)
    whole = replace(
        bare[0],
        memory_total_bytes=ram[0].memory_total_bytes,
        bandwidth_gbs=told if sure or faster else known,
    )
    return [whole if each is bare[0] else each for each in found if each is not ram[0]]


def _part(text: str) -> list[Device]:
    text = _VRAM.sub("", _ARTICLE.sub("", text))
    counted = _COUNT.match(text)
    times, rest = (int(counted[1]), text[counted.end() :]) if counted else (1, text)
    if not 1 <= times <= MOST:
        raise UnknownName(f"{text!r}: there may be 1 to {MOST} of a kind")
    try:
        found = _named(rest)
    except UnknownName as unknown:
        return _with_memory(rest, times, unknown)
    return [_sockets(found, times)] if found.kind == "cpu" else [found] * times


def _named(text: str) -> Device:
    """By its name, with the size before or behind it, and without the series that everybody knows."""
    sized = _SIZE_FIRST.match(text)
    tried = [text, *([f"{sized[2]} {sized[1]}GB", sized[2]] if sized else [])]
    unknown: UnknownName | None = None
    for name in _with_series(tried):
        try:
            return device(name).as_device("")
        except UnknownName as error:
            unknown = unknown or error
    raise unknown or UnknownName(f"unknown hardware {text!r}")


def _with_series(names: list[str]) -> list[str]:
    """The names, and after them the same with each series before those that begin with a number."""
    bare = [name for name in names if name[:2].strip("AB")[:1].isdigit()]
    return [*names, *(f"{series} {name}" for name in bare for series in SERIES)]


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


def _with_memory(text: str, times: int, unknown: UnknownName) -> list[Device]:
    """A CPU, or nothing but RAM, with the channels and the size of the whole machine behind it; or cards with RAM."""
    said = _RAM_FIRST.sub(r"\1\3 \2", text)
    of_kind = _KIND.search(said)
    text = (said[: of_kind.start()] + said[of_kind.end() :]).strip() if of_kind else said
    ram = _RAM.search(text)
    size_bytes = int(ram[1]) << (40 if ram[2].upper() == "T" else 30) if ram else None
    if size_bytes == 0:
        raise UnknownName(f"{text!r}: a machine has some memory")
    rest = text[: ram.start()] if ram else text
    channels = _CHANNELS.search(rest)
    name = (rest[: channels.start()] + rest[channels.end() :]).strip() if channels else rest.strip()
    name = "" if name.casefold() in {"ram", "memory"} else name
    if channels is None and ram is None:
        raise unknown
    try:
        row = _named(name) if name else _nameless(channels is not None)
    except UnknownName as error:
        raise _no_such_size(name, ram, error) or unknown from None
    cards: list[Device] = []
    if row.kind == "gpu" and _SYSTEM.search(text):
        cards, row = [row] * times, _nameless(channels is not None)
    elif row.kind == "cpu":
        row = _sockets(row, times) if name else row
    else:
        raise _no_such_size(name, ram, unknown) or unknown from None
    modules = times if size_bytes and not name else 1  # "2x16GB"
    whole = replace(row, memory_total_bytes=size_bytes * modules if size_bytes else None)
    if channels:
        whole = replace(whole, bandwidth_gbs=_bandwidth(channels), memory_type=_type(channels[4]))
    elif of_kind and row.name == NAMELESS:
        whole = replace(whole, bandwidth_gbs=_usual(of_kind), memory_type=_type(of_kind[1]))
    return [*cards, whole]


def _no_such_size(name: str, ram: re.Match[str] | None, unknown: UnknownName) -> UnknownName | None:
    """What to write where a card, or a chip, has a size behind it that it was never sold with; None for others."""
    keys = next((keys for each in _with_series([name]) if (keys := device_names().candidates(each))), ())
    bare = {_SIZE_LAST.sub("", key) for key in keys}
    rows = [row for row in devices().values() if _SIZE_LAST.sub("", row.name) in bare]
    sizes = sorted({row.memory_gb or 0.0 for row in rows})
    if ram is None or not rows or not all(row.memory_gb and row.kind != "cpu" for row in rows):
        return None
    asked = f"{ram[1]} {ram[2].upper()}B"
    called = bare.pop() if len(bare) == 1 else name
    if all(row.largest_sold for row in rows):
        if ram[2].upper() == "G" and int(ram[1]) <= sizes[-1]:
            return unknown  # its size is right: which of them it is has to be said
        return UnknownName(f"there is no {called} with {asked}: the most that is sold is {sizes[-1]:.0f} GB")
    if ram[2].upper() == "G" and int(ram[1]) in sizes and not _SIZE_LAST.search(name):
        return unknown
    card = devices()[keys[0]].name if len(keys) == 1 else max(rows, key=lambda row: row.memory_gb or 0.0).name
    sold = ", ".join(f"{size:g}" for size in sizes)
    return UnknownName(
        f"there is no {called} with {asked} ({sold}); for RAM write: {card} + {ram[1]}{ram[2].upper()}B RAM"
    )


def _nameless(told: bool) -> Device:
    basis = None if told else "two channels of DDR4-3200, assumed"
    return Device(
        id="",
        name=NAMELESS,
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


def _usual(of_kind: re.Match[str]) -> Bandwidth:
    mts = USUAL_MTS[of_kind[2]]
    return Bandwidth(peak=2 * mts * 8 / 1000, basis=f"two channels of {of_kind[1].upper()}-{mts}, assumed")


def _type(word: str) -> str:
    return "LPDDR" if word.upper().startswith("LP") else "DDR"
