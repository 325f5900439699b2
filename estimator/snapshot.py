"""What a person or a program gets to see: the JSON contract as types. Unknown is None."""

from typing import Literal

from msgspec import Struct

from ..probes.sample import Device, Host, Liveness, Status

SCHEMA = 1

Trail = tuple[float | None, ...]
"""A history, oldest first, one value an interval; None is a hole."""


class Band(Struct, frozen=True, kw_only=True):
    """A value with the range that eight of ten measurements fall into (p10-p90)."""

    value: float
    low: float
    high: float


class Ceiling(Struct, frozen=True, kw_only=True):
    """The physical roof for the load of now, in tokens/s over all streams."""

    decode_tps: float | None = None
    prefill_tps: float | None = None
    limit: Literal["bandwidth", "compute"] | None = None
    """What makes the decode ceiling."""
    reason: str | None = None
    """Why a figure is missing, and what would bring it."""


class Expected(Struct, frozen=True, kw_only=True):
    """What good software reaches for the load of now, in tokens/s over all streams."""

    decode_tps: Band | None = None
    prefill_tps: Band | None = None
    limit: Literal["bandwidth", "compute", "overhead"] | None = None
    """What good software is held up by in decode; the ceiling may name another, where it is far away."""
    core_share: float | None = None
    """Share of a decode step that goes with the core clock, 0-1: what a lower power limit costs depends on it."""
    basis: str | None = None


class Model(Struct, frozen=True, kw_only=True):
    """The loaded model."""

    name: str
    path: str | None = None
    architecture: str | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    quantization: str | None = None
    weight_bytes: int | None = None
    bytes_per_token: float | None = None
    """Weight bytes that one decode step of one stream must read."""
    context_length: int | None = None
    basis: str | None = None


class EngineSession(Struct, frozen=True, kw_only=True):
    """One engine since it is watched. Joules per token are taken over the same seconds."""

    tokens: float | None = None
    """Generated, across restarts; None where it publishes no count."""
    prefill_tokens: float | None = None
    seconds: float = 0.0
    """In which both its tokens and the joules drawn for it are known, at work and at rest."""
    gap_s: float = 0.0
    """In which one of them is not."""
    joules: float | None = None
    """Drawn for it in those seconds: its share of the devices that serve it."""
    idle_joules: float | None = None
    """Those of them that were drawn while it had nothing to do."""
    joules_per_token: float | None = None
    """All joules, those of prompts and of rest too, over the tokens that were generated in those seconds."""


class EngineView(Struct, frozen=True, kw_only=True):
    """One engine: measured, expected and ceiling, never mixed."""

    id: str
    """Stable name of its row: the URL that is read, which is another than `url` where a host speaks for it."""
    engine: str
    url: str
    via: str | None = None
    """The engine that started it and stands before it."""
    status: Status
    version: str | None = None
    pid: int | None = None
    problem: str | None = None
    model: Model | None = None
    devices: tuple[str, ...] = ()
    decode_tps: float | None = None
    prefill_tps: float | None = None
    decode_source: str | None = None
    prefill_source: str | None = None
    liveness: Liveness | None = None
    prefill_liveness: Liveness | None = None
    about: bool = False
    """Whether the decode rate is counted in pieces of streams, which are about a token each."""
    last_decode_tps: float | None = None
    """Of the last request that ended, where the engine tells no rate while it works."""
    last_prefill_tps: float | None = None
    window_s: float | None = None
    """Seconds that the rates are taken over."""
    ttft_s: float | None = None
    tpot_s: float | None = None
    requests_running: float | None = None
    requests_waiting: float | None = None
    slots: int | None = None
    kv_cache_usage: float | None = None
    prefix_hit_rate: float | None = None
    """Share of the prompt tokens of the last minute that the prefix cache held."""
    context_tokens: float | None = None
    tokens_per_step: float | None = None
    """Tokens that a step makes of each stream with speculative decoding; None without it."""
    draft_acceptance: float | None = None
    """Share of the drafted tokens that were right."""
    tensor_parallel: int | None = None
    kv_bytes: float | None = None
    """KV cache bytes that one decode step of all streams must read."""
    ceiling: Ceiling = Ceiling()
    expected: Expected = Expected()
    mbu: float | None = None
    mfu: float | None = None
    bandwidth_utilization: float | None = None
    """Share of the peak bandwidth that the memory of its devices moved, as their hardware counts it, for whomever."""
    power_w: float | None = None
    joules_per_token: float | None = None
    """Of now."""
    session: EngineSession = EngineSession()
    binds: str | None = None
    """One sentence: what limits it now, or why nothing can be said."""


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened, worth a line."""

    wall: float
    text: str
    level: Literal["info", "warning"] = "info"
    source: str | None = None


class Price(Struct, frozen=True, kw_only=True):
    """What energy costs."""

    per_kwh: float
    currency: str | None = None
    """As it was given: "EUR", "€"."""


class BoxPower(Struct, frozen=True, kw_only=True):
    """The whole machine: its power now, and its energy since it is watched."""

    power_w: float | None = None
    basis: str | None = None
    """What is in it and what is not: "2 GPUs and the CPU package; not disks, fans, mainboard"."""
    energy_j: float | None = None
    energy_basis: Literal["counted", "sampled", "mixed"] | None = None
    """By counters of the hardware, or summed up from watts."""
    kwh: float | None = None
    seconds: float = 0.0
    """In which the energy of all parts is known."""
    gap_s: float = 0.0
    """In which that of a part is not, so that it is missing in the sum."""
    cost: float | None = None
    """Of the energy, in `currency`; None without a price."""
    price: float | None = None
    """For a kWh."""
    currency: str | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything that is known at one moment."""

    time: float
    """Monotonic seconds of the newest sample."""
    wall: float
    """Unix time of the newest sample."""
    host: Host | None = None
    power: BoxPower = BoxPower()
    devices: tuple[Device, ...] = ()
    idle_w: dict[str, float | None] = {}
    """By device id: watts that it draws when it does nothing; None until that was seen."""
    session_energy_j: dict[str, float | None] = {}
    """By device id: joules since it is watched; None where that is not known, and for an instance of a GPU."""
    engines: tuple[EngineView, ...] = ()
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be read on this machine, once each ("no NVIDIA driver")."""
    decode_trails: dict[str, Trail] = {}
    """By engine id: decode tokens/s, one value an interval."""
    power_trails: dict[str, Trail] = {}
    """By device id: watts, one value an interval."""
