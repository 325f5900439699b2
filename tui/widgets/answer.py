"""The content of the focus panel as a pure function of the engine and the room."""

from typing import NamedTuple

from ...estimator.snapshot import EngineView, Snapshot, Trail
from .. import format as fmt
from .chart import chart
from .gauge import gauge, ruler, scale
from .headline import line, tall
from .lead import asleep, blind, lead
from .row import BLANK, Row, row, wrap
from .vitals import vitals
from .words import ADVICE


class Plan(NamedTuple):
    """How the room is shared out."""

    tall: bool
    """The headline in big digits."""
    ruler: bool
    """A line under the gauge that names the band."""
    gaps: int
    """Blank lines between the parts."""
    vitals: int
    """Lines for the vitals."""
    chart: int
    """Lines for the chart."""


def plan(width: int, height: int) -> Plan:
    """The shares for a panel of this size: the chart gets what the rest leaves."""
    big = height >= 14 and width >= 92
    ruled = height >= 11
    gaps = 3 if height >= 20 else 2 if height >= 17 else 1 if height >= 15 else 0
    lines = 2 if height >= 16 else 1
    used = (3 if big else 1) + 1 + int(ruled) + gaps + 1 + lines
    return Plan(big, ruled, gaps, lines, max(height - used, 0))


def answer(view: EngineView, trail: Trail, period: float, width: int, height: int) -> list[Row]:
    """All lines of the panel for one engine."""
    if view.status not in {"ok", "idle", "sleeping"} and not any(trail):
        return _trouble(view, width, height)
    shares = plan(width, height)
    rows = tall(view, trail, period, width) if shares.tall else [line(view, trail, period, width)]
    if shares.gaps:
        rows.append(BLANK)
    shown = lead(view)
    measured = None if asleep(view) else shown.measured
    on = scale(measured, shown.band, shown.ceiling)
    if on is not None:
        rows.append(gauge(measured, on, width))
        if shares.ruler:
            rows.append(ruler(on, width))
    reason = view.ceiling.reason
    if view.ceiling.decode_tps is None and reason:
        rows.extend(wrap(f"ceiling – {reason}", width, 1, "ceiling"))
    rows.extend(_sentence(view, width))
    if shares.gaps >= 2:
        rows.append(BLANK)
    tail = vitals(view, width, shares.vitals) if not asleep(view) else []
    if shares.gaps >= 3 and tail:
        tail.insert(0, BLANK)
    room = height - len(rows) - len(tail)
    rows.extend(
        chart(trail, view.expected.decode_tps, view.ceiling.decode_tps, (width, room), period)
        if room >= 2
        else [BLANK] * max(room, 0)
    )
    rows.extend(tail)
    return rows[:height]


def _sentence(view: EngineView, width: int) -> list[Row]:
    if view.problem:
        return wrap(f"▲ {view.problem}", width, 1, "warn")
    if view.binds:
        return wrap(view.binds, width, 1, "text")
    band = view.expected.decode_tps
    if asleep(view) and not blind(view) and view.status in {"ok", "idle"}:
        able = f", and could make about {fmt.rate(band.value)} tok/s" if band is not None else ""
        return wrap(f"nothing to do: it waits for a request{able}", width, 1, "text")
    return []


def _trouble(view: EngineView, width: int, height: int) -> list[Row]:
    rows = [line(view, (), 1.0, width), BLANK]
    if view.problem:
        rows += wrap(view.problem, width, 3, "text")
    advice = ADVICE.get(view.status)
    if advice:
        rows += wrap(advice, width, 2, "dim")
    if view.binds and view.binds != view.problem:
        rows += wrap(view.binds, width, 2, "dim")
    return rows[:height]


def nothing(snapshot: Snapshot, width: int, height: int) -> list[Row]:
    """What is shown while no engine is found: what to do, and what this machine could reach."""
    rows = [
        row(("No engine found yet.", "measured")),
        *wrap(
            "llmtop looks at the processes of this machine and at the known ports every few seconds.", width, 2, "dim"
        ),
        BLANK,
        row(("  r", "key"), ("  look again now", "text")),
        row(("  llmtop demo", "key"), ("  see it work with a small model", "text")),
        row(("  f", "key"), ("  see what this machine can run", "text")),
        row(("  llmtop --url http://host:8000", "key"), ("  watch an engine elsewhere", "text")),
        BLANK,
    ]
    known = [
        (device.name, bandwidth)
        for device in snapshot.devices
        if (bandwidth := max(device.bandwidth_gbs.measured or 0.0, device.bandwidth_gbs.peak or 0.0))
    ]
    if known:
        rows.append(row(("What the memory of this machine allows (bandwidth / model size):", "dim")))
        rows += [
            row(
                (f"  {name}", "strong"),
                (f"  {bandwidth:.0f} GB/s", "text"),
                ("  a model of 5 GB at most ", "dim"),
                (f"{fmt.rate(bandwidth / 5)} tok/s", "ceiling"),
                (", of 20 GB ", "dim"),
                (fmt.rate(bandwidth / 20), "ceiling"),
            )
            for name, bandwidth in dict(known).items()
        ]
    else:
        rows.append(row(("  m", "key"), ("  measure the memory bandwidth: what this machine could reach", "text")))
    return rows[:height]
