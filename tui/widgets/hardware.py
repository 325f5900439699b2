"""The rows of the devices panel as pure functions: one, two or more lines a device, as the room allows."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.cells import cell_len

from ...estimator.snapshot import Snapshot, Trail
from ...probes.sample import Device
from .. import format as fmt
from .bar import split_bar
from .chart import area
from .row import BLANK, Row, Span, clip, left, length, parts, right, row

FIGURES = 16
"""Cells for "21.2 of 24.0 GiB"."""
UNSEEN: Mapping[str, float | None] = MappingProxyType({})


def box_watts(snapshot: Snapshot) -> float | None:
    """Power of the whole machine, where that is more than what one row says."""
    host, devices = snapshot.host, snapshot.devices
    whole = host is not None and host.power_w is not None
    several = sum(device.power_w is not None for device in devices) > 1
    return snapshot.power.power_w if whole or several else None


def box_title(snapshot: Snapshot, width: int) -> str:
    """The words in the border: how many devices, and power, energy and money of the machine as the room allows."""
    number, power = len(snapshot.devices), snapshot.power
    watts, energy = box_watts(snapshot), power.energy_j
    pieces = [
        (0, f"³ devices {number}" if number > 1 else "³ devices"),
        (1, fmt.about_watts(watts) if watts is not None else ""),
        (3, fmt.energy(energy) if energy is not None else ""),
        (2, fmt.money(power.cost, power.currency) if power.cost is not None else ""),
    ]
    for most in (3, 2, 1):
        title = " · ".join(text for at, text in pieces if at <= most and text)
        if cell_len(title) <= width:
            return title
    return pieces[0][1]


def device_name(device: Device) -> str:
    """The name with the number of the device and without what everybody knows."""
    number = "".join(character for character in device.id if character.isdigit())
    name = device.name
    for noise in ("NVIDIA ", "GeForce ", "(R)", "(TM)", " Processor", " CPU"):
        name = name.replace(noise, "")
    name = " ".join(name.split())
    return f"{number} {name}" if number and device.kind != "cpu" else name


def power_share(device: Device) -> float | None:
    """Draw against the limit."""
    return device.power_w / device.power_limit_w if device.power_w is not None and device.power_limit_w else None


def memory_share(device: Device) -> float | None:
    """Used memory against all of it."""
    if device.memory_used_bytes is None or not device.memory_total_bytes:
        return None
    return device.memory_used_bytes / device.memory_total_bytes


def device_rows(
    devices: Sequence[Device],
    trails: dict[str, Trail],
    width: int,
    height: int,
    idle_w: Mapping[str, float | None] = UNSEEN,
) -> list[Row]:
    """All devices in a panel of this size: as many lines each as there is room for."""
    if not devices:
        return []
    if 2 * len(devices) > height and len(devices) > 1:
        return [one_row(device, width, idle_w.get(device.id)) for device in devices]
    name = min(max(15, *(len(device_name(device)) for device in devices)), max(width - 39, 15), 30)
    charted = [device for device in devices if any(trails.get(device.id, ()))]
    spare = (height - 2 * len(devices)) // len(charted) if charted else 0
    tall = min(spare - 1, 10) if spare >= 3 else 0
    rows: list[Row] = []
    for device in devices:
        trail = trails.get(device.id, ())
        rows += two_rows(device, () if tall else trail, width, name, idle_w.get(device.id))
        if tall and any(trail):
            top = device.power_limit_w or max(value for value in trail if value is not None)
            rows += [row((line, "spark")) for line in area(trail, top, width, tall)]
            rows.append(BLANK)
    return rows[:-1] if rows[-1] == BLANK else rows


def two_rows(device: Device, trail: Trail, width: int, name: int, idle_w: float | None = None) -> list[Row]:
    """A device in two lines: power above, memory below, their bars in one column."""
    first: list[Span] = [(left(device_name(device), name), "strong"), (" ", "text")]
    if device.problem:
        return [row(*first, _problem(device, width - name - 1))]
    size = min(max((width - name - FIGURES) // 4, 8), 16)
    rest = max(width - name - FIGURES - size - 3, 0)
    throttled = bool(device.throttle_reasons)
    if device.power_w is None:
        first.append((right("power –", FIGURES), "dim"))
    else:
        limit = f" of {fmt.watts(device.power_limit_w)}" if device.power_limit_w else " W"
        power = f"{device.power_w:.0f}{limit}"
        first += _meter(right(power, FIGURES), power_share(device), "warn-bar" if throttled else "power-bar", size)
        if rest >= 4 and any(trail):
            top = device.power_limit_w or max(value for value in trail if value is not None)
            first += [(" ", "text"), (area(trail, top, rest, 1)[0], "spark")]
    busy = [(right(fmt.percent(device.utilization), 5), "text")]
    state = parts(name - 2, 2, [(0, busy), (1, _warmth(device))])
    memory = fmt.used_of(device.memory_used_bytes, device.memory_total_bytes)
    second: list[Span] = [("  ", "text"), *state.spans, (" " * (name - 1 - state.width), "text")]
    second += _meter(right(memory, FIGURES), memory_share(device), "meter-bar", size)
    tail = parts(rest, 2, [(2, _clock(device)), (3, _idle(idle_w)), (1, _throttle(device, rest))])
    return [row(*first), row(*second, (" ", "text"), *tail.spans)]


def one_row(device: Device, width: int, idle_w: float | None = None) -> Row:
    """A device in one line, for many devices or little room."""
    roomy = width >= 68
    name = 18 if roomy else 14
    spans: list[Span] = [(left(device_name(device), name), "strong"), (" ", "text")]
    if device.problem:
        return row(*spans, _problem(device, width - name - 1))
    size = 8 if roomy else 5
    memory = (
        fmt.used_of(device.memory_used_bytes, device.memory_total_bytes)
        if roomy
        else fmt.size(device.memory_used_bytes)
    )
    ink = "warn-bar" if device.throttle_reasons else "power-bar"
    spans += [*_meter(right(fmt.watts(device.power_w), 6), power_share(device), ink, size), (" ", "text")]
    spans += [*_meter(right(memory, FIGURES if roomy else 8), memory_share(device), "meter-bar", size), (" ", "text")]
    busy = [(right(fmt.percent(device.utilization), 5), "text")]
    room = max(width - length(spans), 0)
    throttled = _throttle(device, room - 6)
    pieces = [(0, busy), (2, _warmth(device)), (3, _clock(device)), (4, _idle(idle_w)), (1, throttled)]
    tail = parts(room, 1, pieces)
    return row(*spans, *tail.spans)


def _meter(label: str, share: float | None, ink: str, width: int) -> list[Span]:
    filled, empty = split_bar(share, width)
    return [(label, "text"), (" ", "text"), (filled, ink), (empty, "track")]


def _problem(device: Device, width: int) -> Span:
    return left(f"▲ {device.problem}", width), "warn"


def _throttle(device: Device, width: int) -> list[Span]:
    return [(clip(f"▲ {', '.join(device.throttle_reasons)}", max(width, 1)), "warn")] if device.throttle_reasons else []


def _warmth(device: Device) -> list[Span]:
    return [(fmt.celsius(device.temperature_c), "text")] if device.temperature_c is not None else []


def _idle(watts: float | None) -> list[Span]:
    return [(f"idle {fmt.watts(watts)}", "dim")] if watts is not None else []


def _clock(device: Device) -> list[Span]:
    return [(fmt.megahertz(device.sm_clock_mhz), "dim")] if device.sm_clock_mhz is not None else []
