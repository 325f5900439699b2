"""A device of this machine and its parts: what it is, and what it does at one moment."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace


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
