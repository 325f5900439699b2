"""One NVIDIA GPU: its lasting facts, read once, and what moves, read each time."""

from collections.abc import Callable
from typing import cast

from msgspec.structs import replace

from ..sample import Device
from .nvidia_processes import NvidiaProcesses
from .nvidia_rates import memory_type, peak_bandwidth, peak_compute
from .nvml import Nvml, member

_SM, _MEMORY = 1, 2
"""NVML_CLOCK_SM, NVML_CLOCK_MEM."""
_ON_DIE = 0
"""NVML_TEMPERATURE_GPU."""

_REASONS = (
    (0x04, "power cap"),
    (0x40, "too hot (hardware)"),
    (0x20, "too hot (software)"),
    (0x80, "power brake"),
    (0x08, "hardware slowdown"),
    (0x02, "application clocks"),
    (0x10, "sync boost"),
    (0x100, "display clocks"),
    (0x200, "board limit"),
    (0x400, "reliability"),
)
"""nvmlClocksEventReason* of nvml.h, those that hold the clocks down most first. Bit 0, idle, is no reason to worry."""


class NvidiaGpu:
    """Reads one GPU by its index."""

    def __init__(self, nvml: Nvml, index: int, clock: Callable[[], float]) -> None:
        self._nvml = nvml
        self._index = index
        self._handle: object | None = None
        self._facts = Device(id=f"nvidia{index}", name="NVIDIA GPU", vendor="NVIDIA", kind="gpu")
        self._users = NvidiaProcesses(nvml, clock)

    def read(self) -> Device:
        """One reading; a lost GPU keeps the facts that were known of it."""
        self._nvml.lost = None
        if self._handle is None:
            self._meet()
        device = self._facts if self._handle is None else self._now(self._handle)
        if self._nvml.lost:
            return replace(self._facts, problem=self._nvml.lost)
        if self._handle is None:
            return replace(self._facts, problem="the driver gives no access to this GPU")
        return device

    def _meet(self) -> None:
        """Learns what lasts. A GPU that was lost meanwhile is asked again at the next reading."""
        nvml = self._nvml
        handle = nvml.ask("nvmlDeviceGetHandleByIndex", self._index)
        if handle is None:
            return
        name = nvml.ask("nvmlDeviceGetName", handle)
        uuid = nvml.ask("nvmlDeviceGetUUID", handle)
        bus_bits = nvml.number("nvmlDeviceGetMemoryBusWidth", handle)
        cores = nvml.number("nvmlDeviceGetNumGpuCores", handle)
        capability = nvml.ask("nvmlDeviceGetCudaComputeCapability", handle)
        architecture = _version(capability)
        lowest, highest = self._range(handle)
        pci_id, pci_address = self._pci(handle)
        facts = Device(
            id=self._facts.id,
            name=name if isinstance(name, str) else self._facts.name,
            vendor="NVIDIA",
            kind="gpu",
            memory_total_bytes=nvml.field("total", "nvmlDeviceGetMemoryInfo", handle),
            power_limit_min_w=lowest,
            power_limit_max_w=highest,
            power_limit_default_w=nvml.scaled(1e-3, "nvmlDeviceGetPowerManagementDefaultLimit", handle),
            bandwidth_gbs=peak_bandwidth(nvml.number("nvmlDeviceGetMaxClockInfo", handle, _MEMORY), bus_bits),
            compute_tflops=peak_compute(architecture, cores, nvml.number("nvmlDeviceGetMaxClockInfo", handle, _SM)),
            memory_type=memory_type(bus_bits),
            architecture=architecture,
            cores=cores,
            pci_id=pci_id,
            pci_address=pci_address,
            uuid=uuid if isinstance(uuid, str) else None,
        )
        if not nvml.lost:
            self._handle, self._facts = handle, facts

    def _now(self, handle: object) -> Device:
        """What moves. `used` is all that is not free, so the driver's own share is in it."""
        nvml = self._nvml
        utilization = nvml.field("gpu", "nvmlDeviceGetUtilizationRates", handle)
        if nvml.lost:
            return self._facts
        memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
        limit = nvml.scaled(1e-3, "nvmlDeviceGetPowerManagementLimit", handle)
        if limit is None:
            limit = nvml.scaled(1e-3, "nvmlDeviceGetEnforcedPowerLimit", handle)
        return replace(
            self._facts,
            memory_used_bytes=member(memory, "used"),
            utilization=None if utilization is None else utilization / 100,
            temperature_c=self._temperature(handle),
            sm_clock_mhz=nvml.number("nvmlDeviceGetClockInfo", handle, _SM),
            memory_clock_mhz=nvml.number("nvmlDeviceGetClockInfo", handle, _MEMORY),
            power_w=nvml.scaled(1e-3, "nvmlDeviceGetPowerUsage", handle),
            power_limit_w=limit,
            throttle_reasons=self._throttle_reasons(handle),
            processes=self._users.read(handle),
        )

    def _range(self, handle: object) -> tuple[float | None, float | None]:
        """Watts that the limit may be set to."""
        answer = self._nvml.ask("nvmlDeviceGetPowerManagementLimitConstraints", handle)
        if not isinstance(answer, list):
            return None, None
        lowest, highest = cast("list[int]", answer)
        return lowest / 1e3, highest / 1e3

    def _pci(self, handle: object) -> tuple[str | None, str | None]:
        """What it is, and where. NVML has the vendor in the lower half of the number."""
        answer = self._nvml.ask("nvmlDeviceGetPciInfo", handle)
        number = cast("object", getattr(answer, "pciDeviceId", None))
        where = cast("object", getattr(answer, "busId", None))
        what = f"{number & 0xFFFF:04x}:{number >> 16:04x}" if isinstance(number, int) and number else None
        return what, where if isinstance(where, str) else None

    def _temperature(self, handle: object) -> float | None:
        """The older function first: every driver of today has it."""
        old = self._nvml.scaled(1.0, "nvmlDeviceGetTemperature", handle, _ON_DIE)
        return old if old is not None else self._nvml.scaled(1.0, "nvmlDeviceGetTemperatureV", handle, _ON_DIE)

    def _throttle_reasons(self, handle: object) -> tuple[str, ...]:
        """In words; drivers before 535 know the question under its old name only."""
        bits = self._nvml.number("nvmlDeviceGetCurrentClocksEventReasons", handle)
        if bits is None:
            bits = self._nvml.number("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
        return tuple(words for bit, words in _REASONS if (bits or 0) & bit)


def _version(capability: object) -> str | None:
    """Major and minor number as "8.9"."""
    return ".".join(map(str, cast("tuple[int, int]", capability))) if isinstance(capability, tuple) else None
