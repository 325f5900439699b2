"""The vocabulary: what one reading of one source says. Units stand in the names; unknown is None."""

from typing import Literal

from msgspec import Struct

from .device import (
    Bandwidth,
    Compute,
    Device,
    DeviceProcess,
    Fabric,
    MemoryLayout,
    MemoryModule,
    Pcie,
    PowerLimit,
    Processor,
)

__all__ = [
    "Bandwidth",
    "Compute",
    "Device",
    "DeviceProcess",
    "Devices",
    "Engine",
    "Fabric",
    "Gone",
    "Host",
    "Liveness",
    "MemoryLayout",
    "MemoryModule",
    "ModelFacts",
    "Pcie",
    "PowerLimit",
    "Processor",
    "Reading",
    "Sample",
    "Status",
    "Total",
]

Status = Literal["ok", "idle", "loading", "sleeping", "unauthorized", "unreachable", "unsupported"]
Liveness = Literal["token", "step", "interval", "request"]


class Host(Struct, frozen=True, kw_only=True, tag="host"):
    """The machine that llmtop runs on."""

    name: str
    os: str
    cpu: str | None = None
    cores: int | None = None
    memory_total_bytes: int | None = None
    """What this process can get at most: of the machine, or the limit of its container."""
    memory_used_bytes: int | None = None
    virtualization: str | None = None
    """What it runs in, when that is no bare machine: "KVM", "WSL2"."""
    container: str | None = None
    """"docker", "podman", "kubernetes", "lxc"."""
    power_w: float | None = None
    """The whole machine, where a sensor tells it."""
    power_source: str | None = None
    """That sensor in words: "RAPL psys", "battery", "ACPI power meter", "SMC"."""
    energy_j: float | None = None
    """Joules of the whole machine since an origin that stays, where that sensor counts them."""


class Devices(Struct, frozen=True, kw_only=True, tag="devices"):
    """All devices of one probe. A probe that found none says why in `problem`, if there is a why."""

    devices: tuple[Device, ...]
    problem: str | None = None


class ModelFacts(Struct, frozen=True, kw_only=True):
    """What is known of a loaded model: sizes in bytes as stored, counts in parameters."""

    name: str
    source: str
    """Where the facts come from: "GGUF header", "GET /v1/models"."""
    path: str | None = None
    architecture: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    """Tokens that one request may use, as the engine runs it; else the model's own limit."""
    parameters: int | None = None
    weight_bytes: int | None = None
    """Bytes of all tensors."""
    embedding_bytes: int | None = None
    """Bytes of the input embedding table, which decode does not stream unless it is tied."""
    embedding_parameters: int | None = None
    tied_embeddings: bool | None = None
    """True when the output head is the input embedding table, so that it is read for each token."""
    unused_bytes: int = 0
    """Bytes that plain decoding never reads (multi-token-prediction layers)."""
    unused_parameters: int = 0
    expert_bytes: int = 0
    """Bytes of the routed experts of all layers."""
    expert_parameters: int = 0
    expert_count: int = 0
    expert_used_count: int = 0
    layers: int | None = None
    linear_layers: int = 0
    """Those of the layers that have linear attention or a state-space model instead of attention."""
    state_elements: int = 0
    """Elements of the recurrent state of all such layers, for one stream; it does not grow with the context."""
    hidden_size: int | None = None
    """Width of the residual stream."""
    head_parameters: int | None = None
    """Parameters of the output head (also when tied)."""
    attention_width: int | None = None
    """Sum over the attention layers of query heads x head dimension: FLOPs of attention scale with it."""
    window_width: int = 0
    """The part of it in layers that keep a sliding window only."""
    kv_elements: int | None = None
    """KV cache elements per token, summed over the layers that keep the whole context."""
    kv_window_elements: int = 0
    """The same, summed over the layers that keep a sliding window only."""
    kv_window: int | None = None
    """Length of that window in tokens."""
    shards: int = 1
    """Files that the weights are spread over."""
    missing_shards: int = 0
    """Those of them that are not there: the sizes are those of a part."""
    assumed: tuple[str, ...] = ()
    """What the file does not say and was taken for it, a sentence each."""


class Total(Struct, frozen=True):
    """A sum of seconds and how many observations it holds, both since the engine's start."""

    seconds: float
    count: float


class Engine(Struct, frozen=True, kw_only=True, tag="engine"):
    """One reading of one engine. Token counts only grow; a count that falls means a restart."""

    engine: str
    """Its name, as people write it: "llama.cpp", "vLLM"; "unknown" before it is identified."""
    url: str
    status: Status
    version: str | None = None
    pid: int | None = None
    pids: tuple[int, ...] = ()
    """The process and its descendants: who may hold the devices."""
    local: bool = True
    """Whether it runs on this machine."""
    visible_devices: tuple[str, ...] | None = None
    """The devices that its environment or command line leaves it, named as in `visible`; None: nothing limits it."""
    tensor_parallel: int | None = None
    """Devices that share each layer, from its command line or configuration."""
    via: str | None = None
    """The engine that started it and stands before it: "llama-swap 127.0.0.1:8080"."""
    upstream: str | None = None
    """URL of the engine whose answers were counted, when this is a reading of somebody who watches it."""
    threads: int | None = None
    """CPU threads that its command line asks for."""
    kv_bytes_per_element: float | None = None
    """From its command line; None means the engine's default (16 bit)."""
    problem: str | None = None
    model: ModelFacts | None = None
    decode_tokens: float | None = None
    """Tokens generated since an origin that stays the same until a restart."""
    prefill_tokens: float | None = None
    decode_source: str | None = None
    prefill_source: str | None = None
    liveness: Liveness | None = None
    """What moves the decode count: every token, every step, a fixed interval, the end of a request."""
    prefill_liveness: Liveness | None = None
    about: bool = False
    """Whether the decode count is near the truth only, as when each piece of a stream is taken for a token."""
    decode_tps: float | None = None
    """The decode rate of now over all streams as the engine itself tells it; for engines without a count that moves."""
    prefill_tps: float | None = None
    last_decode_tps: float | None = None
    """Decode rate of the last request that ended, as the engine tells it."""
    last_prefill_tps: float | None = None
    requests_running: float | None = None
    requests_waiting: float | None = None
    slots: int | None = None
    """Requests that it can serve at once."""
    prefilling: int | None = None
    """Running requests that have no first token yet."""
    kv_cache_usage: float | None = None
    """Share of the KV cache in use, 0-1."""
    context_tokens: float | None = None
    """Tokens in the KV cache of the running requests, summed."""
    prefix_queries: float | None = None
    """Prompt tokens looked up in the prefix cache since the start."""
    prefix_hits: float | None = None
    """Those of them that it held."""
    ttft: Total | None = None
    tpot: Total | None = None
    drafts: float | None = None
    """Speculative decoding: guesses made so far, each of some tokens."""
    drafted_tokens: float | None = None
    """Tokens in them."""
    accepted_tokens: float | None = None
    """Those of them that were right; each draft brings one token more than it had right."""


class Gone(Struct, frozen=True, kw_only=True, tag="gone"):
    """The source will say nothing more: its row can be taken away."""


Reading = Host | Devices | Engine | Gone


class Sample(Struct, frozen=True, kw_only=True):
    """One reading with its source and its moment."""

    source: str
    """Stable name of the source: "host", "nvidia", "http://127.0.0.1:8080"."""
    time: float
    """Seconds on a monotonic clock: rates come from this."""
    wall: float
    """Unix time: only to be shown."""
    period: float
    """Seconds until the source means to speak again: silence much longer is a fault."""
    reading: Reading
