"""A snapshot for other programs (JSON) and for a plain terminal (a table)."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ..estimator.snapshot import SCHEMA, EngineView, Snapshot
from ..probes.sample import Device
from .format import UNKNOWN, count, duration, energy, exact_rate, joules, money, used_of, watts
from .machine import bandwidth


def document(snapshot: Snapshot) -> bytes:
    """The JSON document of `--once --json`."""
    fields: dict[str, object] = msgspec.to_builtins(snapshot)
    time = datetime.fromtimestamp(snapshot.wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for hidden in ("time", "wall", "decode_trails", "power_trails"):
        del fields[hidden]
    return msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "time": time, **fields}))


def table(snapshot: Snapshot) -> str:
    """Engines and devices, one line each."""
    rows: list[tuple[str, ...]] = [
        ("ENGINE", "URL", "MODEL", "STATUS", "TOK/S", "EXPECTED", "CEILING", "PREFILL", "POWER", "PER TOKEN")
    ]
    rows += [_engine_row(view) for view in snapshot.engines]
    lines = _aligned(rows) if snapshot.engines else ["no engine found: name one with --url, or try llmtop demo"]
    lines += [f"  {view.url}: {view.problem}" for view in snapshot.engines if view.problem]
    lines += [line for view in snapshot.engines if (line := _session(view))]
    lines += ["", *_devices(snapshot), *_box(snapshot)]
    return "\n".join(lines)


def _engine_row(view: EngineView) -> tuple[str, ...]:
    band, roof = view.expected.decode_tps, view.ceiling.decode_tps
    model = f"{view.model.name} {view.model.quantization or ''}".strip() if view.model else UNKNOWN
    return (
        view.engine,
        view.url.partition("://")[2],
        model,
        view.status,
        _decode(view),
        f"{exact_rate(band.value)} ({exact_rate(band.low)}-{exact_rate(band.high)})" if band else UNKNOWN,
        exact_rate(roof),
        exact_rate(view.prefill_tps),
        watts(view.power_w),
        joules(view.joules_per_token),
    )


def _session(view: EngineView) -> str:
    """What was made of how much; empty where no energy is known."""
    session = view.session
    if session.joules is None:
        return ""
    per_token = f", {joules(session.joules_per_token)} per token" if session.joules_per_token is not None else ""
    made = f"{count(session.tokens)} tokens with {energy(session.joules)}"
    return f"  {view.url}: {made} in {duration(session.seconds)}{per_token}"


def _box(snapshot: Snapshot) -> list[str]:
    """The whole machine in one line; none where nothing is known."""
    power = snapshot.power
    now = [f"{watts(power.power_w)} ({power.basis})"] if power.power_w is not None else []
    elapsed = duration(power.seconds + power.gap_s)
    spent = [f"{energy(power.energy_j)} in {elapsed}"] if power.energy_j is not None else []
    gap = [f"without a part of it for {duration(power.gap_s)}"] if spent and power.gap_s >= 0.5 else []
    cost = [money(power.cost, power.currency)] if power.cost is not None else []
    said = "; ".join(now + spent + gap + cost)
    return ["", f"MACHINE  {said}"] if said else []


def _decode(view: EngineView) -> str:
    """The rate; that of the last request where nothing else is told."""
    if view.decode_tps is None and view.last_decode_tps is not None:
        return f"{exact_rate(view.last_decode_tps)} (last request)"
    about = "~" if view.about and view.decode_tps is not None else ""
    late = " (at request end)" if view.liveness == "request" and view.decode_tps is not None else ""
    return f"{about}{exact_rate(view.decode_tps)}{late}"


def _devices(snapshot: Snapshot) -> list[str]:
    rows = [("DEVICE", "NAME", "MEMORY", "BANDWIDTH", "POWER", "IDLE", "CLOCK", "TEMP", "BUSY")]
    rows += [
        (
            device.id,
            device.name,
            used_of(device.memory_used_bytes, device.memory_total_bytes),
            bandwidth(device) or UNKNOWN,
            _power(device) or UNKNOWN,
            watts(snapshot.idle_w.get(device.id)),
            f"{device.sm_clock_mhz:.0f} MHz" if device.sm_clock_mhz else UNKNOWN,
            f"{device.temperature_c:.0f} °C" if device.temperature_c is not None else UNKNOWN,
            f"{device.utilization:.0%}" if device.utilization is not None else UNKNOWN,
        )
        for device in snapshot.devices
    ]
    problems = [f"  {device.id}: {device.problem}" for device in snapshot.devices if device.problem]
    return _aligned(rows) + problems + [f"  {note}" for note in snapshot.notes]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _power(device: Device) -> str | None:
    if device.power_w is None and device.power_limit_w is None:
        return None
    limit = f" of {device.power_limit_w:.0f} W" if device.power_limit_w else " W"
    span = ""
    if device.power_limit_min_w is not None and device.power_limit_max_w is not None:
        span = f" ({device.power_limit_min_w:.0f}-{device.power_limit_max_w:.0f} W"
        span += f", default {device.power_limit_default_w:.0f} W)" if device.power_limit_default_w else ")"
    return f"{exact_rate(device.power_w)}{limit}{span}"
