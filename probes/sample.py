"""The vocabulary: what one reading of one source says. Units stand in the names; unknown is None."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Status = Literal["ok", "idle", "loading", "sleeping", "unauthorized", "unreachable", "unsupported"]
Liveness = Literal["token", "step", "interval", "request"]


class Bandwidth(Struct, frozen=True, kw_only=True):
    """Memory bandwidth of a device in GB/s (1e9 bytes a second)."""

    peak: float | None = None
    """What the memory can do on paper."""
    measured: float | None = None
    """The best sustained figure measured on this very device."""
    basis: str | None = None
    """Where the figures come from, in words; or why there are none."""


class Compute(Struct, frozen=True, kw_only=True):
    """Peak dense arithmetic rates of a device in TFLOPS (TOPS for int8)."""

    fp32: float | None = None
    fp16: float | None = None
    int8: float | None = None
    basis: str | None = None


class PowerLimit(Struct, frozen=True, kw_only=True):
    """One limit on the draw of a device, in watts."""

    name: str
    """What it holds down: "board", "package long term", "package short term"."""
    value_w: float | None = None
    """None where it cannot be read, or nothing is limited."""
    min_w: float | None = None
    max_w: float | None = None
    default_w: float | None = None
    window_s: float | None = None
    """Seconds over which the draw is averaged before it is held against the limit."""
    writable: bool | None = None
    """Whether this user may change it; None where only trying would tell."""
    where: str
    """What it is set through: "NVML", or a file."""


class Pcie(Struct, frozen=True, kw_only=True):
    """The link to the host: what runs now, which falls when nothing is moved, and what both ends can do."""

    generation: int | None = None
    width: int | None = None
    """Lanes."""
    generation_max: int | None = None
    width_max: int | None = None


class Fabric(Struct, frozen=True, kw_only=True):
    """Links to other devices of the machine."""

    name: str
    """"NVLink", "xGMI", "Xe Link"."""
    links: int
    """Those that are up."""
    gbs: float | None = None
    """Of all of them together in one direction, on paper."""


class MemoryModule(Struct, frozen=True, kw_only=True):
    """One populated slot."""

    slot: str
    size_bytes: int | None = None
    type: str | None = None
    """"DDR5", "LPDDR5"."""
    mts: int | None = None
    """Mega-transfers a second, as it runs."""
    rated_mts: int | None = None
    """What the module could do."""


class MemoryLayout(Struct, frozen=True, kw_only=True):
    """How the main memory is populated, as the firmware tells it."""

    modules: tuple[MemoryModule, ...] = ()
    slots: int | None = None
    channels: int | None = None
    """With at least one module."""
    channels_total: int | None = None
    """That have a slot."""


class Processor(Struct, frozen=True, kw_only=True):
    """What a CPU is made of, beyond what every device has."""

    sockets: int | None = None
    numa_nodes: int | None = None
    threads: int | None = None
    """Logical processors that are online."""
    usable_cores: float | None = None
    """Logical processors that this process may use: its affinity, and the quota of its container."""
    performance_cores: int | None = None
    """None where all cores are alike; else physical cores."""
    efficiency_cores: int | None = None
    instructions: tuple[str, ...] = ()
    """Those that decide what inference reaches, as people write them: "AVX2", "AVX-512 VNNI", "AMX int8", "SVE"."""
    memory: MemoryLayout | None = None


class DeviceProcess(Struct, frozen=True):
    """A process that holds memory on a device."""

    pid: int
    memory_bytes: int | None = None
    utilization: float | None = None
    """Share of time that the device worked for it, 0-1; None where the driver does not say."""


class Device(Struct, frozen=True, kw_only=True):
    """One GPU, or the CPU with its memory, at one moment."""

    id: str
    """Short and stable on this machine: "nvidia0", "cpu"."""
    name: str
    vendor: str
    kind: Literal["gpu", "apple", "cpu"]
    memory_total_bytes: int | None = None
    memory_used_bytes: int | None = None
    utilization: float | None = None
    """Share of time busy, 0-1."""
    bandwidth_utilization: float | None = None
    """Share of the peak bandwidth that its memory moved since the previous reading, 0-1, where the hardware counts."""
    temperature_c: float | None = None
    hotspot_c: float | None = None
    """The hottest spot of the die."""
    memory_temperature_c: float | None = None
    sm_clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    power_w: float | None = None
    """What it draws: averaged by the driver over its window, else over the time since the previous reading."""
    power_instant_w: float | None = None
    """Without the average, where the driver tells both."""
    energy_j: float | None = None
    """Joules since an origin that stays; a value that falls means that the count began anew."""
    power_limit_w: float | None = None
    """The limit that people know it by; all of them stand in `limits`."""
    power_limit_min_w: float | None = None
    power_limit_max_w: float | None = None
    power_limit_default_w: float | None = None
    limits: tuple[PowerLimit, ...] = ()
    throttle_reasons: tuple[str, ...] = ()
    """Why the clocks are held down now, in words; empty when they are not."""
    bandwidth_gbs: Bandwidth = Bandwidth()
    compute_tflops: Compute = Compute()
    memory_type: str | None = None
    """"HBM", "GDDR", "LPDDR" or "DDR" where it can be told, else None."""
    unified_memory: bool | None = None
    """Whether its memory is the host's own, so that both are fed by the same bandwidth."""
    carveout_bytes: int | None = None
    """The part of unified memory that the firmware keeps for it alone."""
    ecc: bool | None = None
    """Whether its memory corrects errors now."""
    architecture: str | None = None
    """NVIDIA: the compute capability as "8.9". AMD: the target as "gfx1100". Apple: "M3". Intel GPUs: "Xe2"."""
    cores: int | None = None
    """CPU: physical cores. GPU: shader cores."""
    cache_bytes: int | None = None
    """Last-level cache: a model below this size may never touch the memory."""
    pci_id: str | None = None
    """Vendor and device, as "10de:2684": what it is."""
    pci_address: str | None = None
    """Where it is, as other tools print it: "00000000:01:00.0"."""
    uuid: str | None = None
    """What the driver calls this very card: "GPU-8f6c…", also in `CUDA_VISIBLE_DEVICES`."""
    parent: str | None = None
    """The id of the device that it is a part of: an instance of a GPU that is shared out (MIG)."""
    driver: str | None = None
    """Name and version: "NVIDIA 580.65.06", "amdgpu, Linux 6.12"."""
    pcie: Pcie | None = None
    fabric: Fabric | None = None
    processor: Processor | None = None
    """Of a CPU."""
    processes: tuple[DeviceProcess, ...] | None = None
    """Who holds memory on it; None when the driver does not say."""
    problem: str | None = None
    """Why nothing can be said of what it does now."""
    unread: tuple[str, ...] = ()
    """What of it cannot be read, and what would allow it, a sentence each: "power: … may be read by root only; …"."""
    remarks: tuple[str, ...] = ()
    """What its owner should know, a sentence each: "4 of 8 memory channels are empty: …"."""

    def lasting(self, problem: str) -> "Device":
        """What it is and who held its memory last, without what it did then; `problem` says why no more is known.

        An engine on it is on it still, so that what it draws there is missing rather than not there.
        """
        held = self.processes and tuple(DeviceProcess(each.pid, each.memory_bytes) for each in self.processes)
        return replace(self, **dict.fromkeys(_MOVING), processes=held, throttle_reasons=(), problem=problem)


_MOVING = (
    "memory_used_bytes",
    "utilization",
    "bandwidth_utilization",
    "temperature_c",
    "hotspot_c",
    "memory_temperature_c",
    "sm_clock_mhz",
    "memory_clock_mhz",
    "power_w",
    "power_instant_w",
    "energy_j",
    "power_limit_w",
)
"""The fields of a device that are None once it no longer answers."""


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
