"""The details of one engine: where each number comes from, how often it moves, why something is unknown."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from ...estimator.snapshot import Band, EngineView, Snapshot
from ...probes.sample import Device
from .. import format as fmt
from ..widgets.focus import title
from ..widgets.row import BLANK, Row, left, row, wrap
from ..widgets.words import LIVENESS, STATUS
from .dialog import Dialog

LABEL = 12


def entry(label: str, text: str | None, width: int, ink: str = "text") -> list[Row]:
    """A labelled text, wrapped; nothing when there is no text."""
    if not text:
        return []
    lines = wrap(text, width - LABEL, 4, ink)
    return [row((left(label if at == 0 else "", LABEL), "dim"), *line.spans) for at, line in enumerate(lines)]


def _drafts(view: EngineView) -> str | None:
    """What speculative decoding brings."""
    right = f"{fmt.percent(view.draft_acceptance)} right" if view.draft_acceptance is not None else ""
    step = f"{view.tokens_per_step:.2f} tokens a step of each stream" if view.tokens_per_step else ""
    return ", ".join(part for part in (right, step) if part) or None


def _moved(view: EngineView) -> str | None:
    """The share of the roof by the tokens, and the one that the memory itself counts."""
    reckoned = fmt.percent(view.mbu) if view.mbu is not None else ""
    counted = view.bandwidth_utilization
    return " · ".join(
        filter(None, (reckoned, f"memory busy {fmt.percent(counted)} measured" if counted is not None else ""))
    )


def _power(view: EngineView, width: int) -> list[Row]:
    """What it takes, now and since it is watched."""
    session = view.session
    now = [fmt.watts(view.power_w), f"{fmt.joules(view.joules_per_token)} a token"]
    now = now[: 1 + (view.joules_per_token is not None)] if view.power_w is not None else []
    made = [f"{fmt.count(session.tokens)} tokens generated"] if session.tokens is not None else []
    made += [f"{fmt.count(session.prefill_tokens)} of prompts read"] if session.prefill_tokens is not None else []
    drawn = [f"{fmt.energy(session.joules)} in {fmt.duration(session.seconds)}"] if session.joules is not None else []
    drawn += [f"{fmt.energy(session.idle_joules)} of it at rest"] if drawn and session.idle_joules else []
    drawn += [f"not known for {fmt.duration(session.gap_s)}"] if drawn and session.gap_s >= 0.5 else []
    cost = f"{fmt.joules(session.joules_per_token)}, with prompts and rest" if session.joules_per_token else None
    rows = [
        *entry("now", ", ".join(now), width),
        *entry("session", ", ".join(made), width),
        *entry("  energy", ", ".join(drawn), width),
        *entry("  per token", cost, width),
    ]
    return [BLANK, row(("power", "strong")), *rows] if rows else []


def _box(snapshot: Snapshot, width: int) -> list[Row]:
    """What the whole machine takes."""
    power = snapshot.power
    if power.power_w is None and power.energy_j is None:
        return []
    elapsed = fmt.duration(power.seconds + power.gap_s)
    spent = [f"{fmt.energy(power.energy_j)} in {elapsed}"] if power.energy_j is not None else []
    spent += [power.energy_basis] if spent and power.energy_basis else []
    spent += [f"without a part of it for {fmt.duration(power.gap_s)}"] if spent and power.gap_s >= 0.5 else []
    spent += [fmt.money(power.cost, power.currency)] if power.cost is not None else []
    return [
        BLANK,
        row(("whole machine", "strong")),
        *entry("power", fmt.watts(power.power_w), width),
        *entry("  that is", power.basis, width),
        *entry("energy", ", ".join(spent), width),
    ]


def _measured(rate: float | None, last: float | None) -> str:
    """A rate, or else that of the last request."""
    if rate is None and last is not None:
        return f"{fmt.rate(last)} tok/s in the last request"
    return f"{fmt.rate(rate)} tok/s"


def _band(band: Band | None) -> str:
    return f"{fmt.rate(band.value)} tok/s ({fmt.span(band.low, band.high)})" if band is not None else fmt.UNKNOWN


def engine_rows(view: EngineView, width: int) -> list[Row]:
    """Everything known of the engine, the three numbers first."""
    window = f", over {view.window_s:.1f} s" if view.window_s else ""
    about = "about " if view.about and view.decode_tps is not None else ""
    live = LIVENESS[view.liveness][0] if view.liveness else "no live count"
    prefill_live = LIVENESS[view.prefill_liveness][0] if view.prefill_liveness else ""
    ceiling, expected, model = view.ceiling, view.expected, view.model
    rows = [
        *entry("status", STATUS[view.status][1], width, STATUS[view.status][2]),
        *entry("problem", view.problem, width, "warn"),
        *entry("address", view.url, width),
        *entry("through", view.via, width),
        *entry("version", view.version, width),
        *entry("process", str(view.pid) if view.pid else None, width),
        BLANK,
        row(("decode", "strong")),
        *entry("measured", f"{about}{_measured(view.decode_tps, view.last_decode_tps)}{window}", width, "measured"),
        *entry("  source", view.decode_source, width),
        *entry("  moves", live, width, LIVENESS[view.liveness][1] if view.liveness else "dim"),
        *entry("  drafts", _drafts(view), width),
        *entry("expected", _band(expected.decode_tps), width, "expected"),
        *entry("ceiling", f"{fmt.rate(ceiling.decode_tps)} tok/s", width, "ceiling"),
        *entry("  limit", ceiling.limit, width),
        *entry("  unknown", ceiling.reason, width, "warn"),
        *entry("MBU", _moved(view), width),
        BLANK,
        row(("prefill", "strong")),
        *entry("measured", _measured(view.prefill_tps, view.last_prefill_tps), width, "measured"),
        *entry("  source", view.prefill_source, width),
        *entry("  moves", prefill_live, width),
        *entry("expected", _band(expected.prefill_tps), width, "expected"),
        *entry("ceiling", f"{fmt.rate(ceiling.prefill_tps)} tok/s", width, "ceiling"),
        *entry("prefix hits", fmt.percent(view.prefix_hit_rate) if view.prefix_hit_rate is not None else None, width),
        *entry("MFU", fmt.percent(view.mfu) if view.mfu is not None else None, width),
        *_power(view, width),
        BLANK,
        *entry("basis", expected.basis, width),
        *entry("binds", view.binds, width),
    ]
    if model is not None:
        active = f", {fmt.count(model.active_parameters)} active" if model.active_parameters else ""
        parameters = f"{fmt.count(model.parameters)} parameters{active}" if model.parameters else None
        per_token = f"{model.bytes_per_token / 1e9:.2f} GB read per token" if model.bytes_per_token else None
        weights = f"{fmt.size(model.weight_bytes)} of weights" if model.weight_bytes else None
        rows += [
            BLANK,
            row(("model", "strong")),
            *entry("name", model.name, width),
            *entry("file", model.path, width),
            *entry(
                "kind", ", ".join(part for part in (model.architecture, model.quantization, parameters) if part), width
            ),
            *entry("size", ", ".join(part for part in (weights, per_token) if part), width),
            *entry("context", f"{fmt.count(model.context_length)} tokens" if model.context_length else None, width),
            *entry("known from", model.basis, width),
        ]
    return rows


def device_rows(device: Device, width: int, idle_w: float | None = None, spent_j: float | None = None) -> list[Row]:
    """What a device could do, and what is known of it."""
    bandwidth = device.bandwidth_gbs
    figures = [f"{bandwidth.peak:.0f} GB/s on paper"] if bandwidth.peak else []
    figures += [f"{bandwidth.measured:.0f} GB/s measured"] if bandwidth.measured else []
    limits = ", ".join(
        f"{word} {fmt.watts(value)}"
        for word, value in (
            ("now", device.power_limit_w),
            ("default", device.power_limit_default_w),
            ("from", device.power_limit_min_w),
            ("to", device.power_limit_max_w),
        )
        if value is not None
    )
    return [
        BLANK,
        row((device.name, "strong")),
        *entry("bandwidth", ", ".join(figures) or fmt.UNKNOWN, width),
        *entry("  basis", bandwidth.basis, width),
        *entry("power limit", limits or None, width),
        *entry("at rest", fmt.watts(idle_w) if idle_w is not None else None, width),
        *entry("session", fmt.energy(spent_j) if spent_j is not None else None, width),
        *entry("throttled", ", ".join(device.throttle_reasons) or None, width, "warn"),
        *entry("problem", device.problem, width, "warn"),
        *(line for words in device.unread for line in entry("not read", words, width, "dim")),
        *(line for words in device.remarks for line in entry("note", words, width)),
    ]


class Inspect(Dialog[None]):
    """All about one engine and its devices."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("d,enter", "close", show=False)]

    def __init__(self, view: EngineView, snapshot: Snapshot) -> None:
        super().__init__()
        self._view = view
        self._snapshot = snapshot
        self._devices = [device for device in snapshot.devices if device.id in view.devices]
        self.heading = title(view)

    def rows(self, width: int) -> Sequence[Row]:
        """The engine, then its devices."""
        rows = engine_rows(self._view, width)
        for device in self._devices:
            idle_w, spent_j = self._snapshot.idle_w.get(device.id), self._snapshot.session_energy_j.get(device.id)
            rows += device_rows(device, width, idle_w, spent_j)
        return rows + _box(self._snapshot, width)
