"""One NVIDIA GPU: its lasting facts, read once, and what moves, read each time."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import cast

from msgspec.structs import replace

from ...sample import Bandwidth, Device, DeviceProcess
from ..files import ROOT
from ..jetson.board import JetsonBoard
from .gpm import NvidiaBandwidthUse
from .limits import NvidiaLimits, administrator
from .links import NvidiaLinks
from .memory import NvidiaMemory, ecc_remarks
from .mig import NvidiaInstances
from .nvml import Nvml, NvmlDevice, member
from .processes import NvidiaProcesses
from .rates import peak_bandwidth, peak_compute
from .sensors import NvidiaSensors
from .throttle import throttle_reasons
from .unread import unread

_SM, _MEMORY = 1, 2
"""NVML_CLOCK_SM, NVML_CLOCK_MEM."""
_MUTE = "the driver tells nothing of this GPU any more; nvidia-smi may say more"


class NvidiaGpu:
    """Reads one GPU by its index, and the instances that it is shared out in. One thread at a time may do so."""

    def __init__(
        self,
        nvml: Nvml,
        index: int,
        clock: Callable[[], float],
        *,
        driver: str | None = None,
        root: Path = ROOT,
    ) -> None:
        self.found = False
        """Whether the driver has given access to it, or said why not: it wakes a GPU for that, which takes seconds."""
        self.answered = Event()
        """Set once it was read."""
        self._nvml = nvml
        self._index = index
        self._clock = clock
        self._root = root
        self._gpu: _Present | None = None
        self._named = Device(id=f"nvidia{index}", name="NVIDIA GPU", vendor="NVIDIA", kind="gpu", driver=driver)
        self._last: tuple[Device, ...] = (self._named,)

    def known(self) -> tuple[Device, ...]:
        """What was said of it last, at least its id."""
        return self._last

    def read(self) -> tuple[Device, ...]:
        """One reading; a lost GPU keeps the facts that were known of it, and is looked for again at the next one."""
        read = self._read()
        self.answered.set()
        return read

    def _read(self) -> tuple[Device, ...]:
        if self._gpu is None:
            device, problem = self._nvml.gpu(self._index, self._clock)
            self.found = True
            if device is None:
                return self._gone(problem)
            self._gpu = _Present(device, self._named, self._clock, self._root)
        gpu = self._gpu
        found = () if gpu.device.lost else gpu.read()
        if gpu.device.lost:
            gpu.close()
            self._gpu = None
            return self._gone(gpu.device.lost)
        self._last = found
        return found

    def _gone(self, problem: str | None) -> tuple[Device, ...]:
        return tuple(device.lasting(problem or "the driver does not answer") for device in self._last)


class _Present:
    """A GPU that the driver gives access to."""

    def __init__(self, device: NvmlDevice, named: Device, clock: Callable[[], float], root: Path) -> None:
        self.device = device
        capability = device.ask("nvmlDeviceGetCudaComputeCapability")
        architecture = _version(capability)
        self._board = JetsonBoard.find(root)
        self._memory = NvidiaMemory(device, architecture, root)
        self._sensors = NvidiaSensors(device, architecture, clock)
        self._administrator = administrator(root)
        self._limits = NvidiaLimits(device, clock, self._administrator)
        self._links = NvidiaLinks(device, clock)
        self._users = NvidiaProcesses(device, clock)
        self._use = NvidiaBandwidthUse(device, clock)
        self._instances = NvidiaInstances(device, clock)
        self._facts = self._meet(named, architecture)

    def close(self) -> None:
        """Gives back what the library holds for it."""
        self._use.close()

    def read(self) -> tuple[Device, ...]:
        """One reading of the GPU, and of its instances after it."""
        device = self.device
        device.listen()
        utilization = device.field("gpu", "nvmlDeviceGetUtilizationRates")
        if device.lost:
            return ()
        total, used = self._memory.read()
        sensors, limits = self._sensors.read(), self._limits.read()
        now = replace(
            self._facts,
            memory_total_bytes=total or self._facts.memory_total_bytes,
            memory_used_bytes=used,
            utilization=None if utilization is None else utilization / 100,
            bandwidth_utilization=self._use.read(),
            temperature_c=sensors.temperature_c,
            memory_temperature_c=sensors.memory_temperature_c,
            sm_clock_mhz=device.number("nvmlDeviceGetClockInfo", _SM),
            memory_clock_mhz=device.number("nvmlDeviceGetClockInfo", _MEMORY),
            power_w=sensors.power_w,
            power_instant_w=sensors.power_instant_w,
            energy_j=sensors.energy_j,
            power_limit_w=limits.value_w,
            power_limit_min_w=limits.min_w,
            power_limit_max_w=limits.max_w,
            power_limit_default_w=limits.default_w,
            limits=limits.every,
            throttle_reasons=throttle_reasons(device),
            pcie=None if self._memory.unified else self._links.pcie(),
            fabric=self._links.fabric(),
        )
        instances = self._instances.read(now)
        if instances is None:
            processes = self._users.read()
            used = _held(processes) if self._memory.unified else used
            now = replace(now, processes=processes, memory_used_bytes=used)
        else:
            now = replace(now, processes=_together(instances), remarks=(*now.remarks, _shared_out(instances)))
        if self._board:
            now = self._board.complete(now)
        if device.mute:
            device.lost = device.lost or _MUTE
        missing = unread(now, device.forbidden, administrator=self._administrator)
        return replace(now, unread=(*now.unread, *missing)), *(instances or ())

    def _meet(self, named: Device, architecture: str | None) -> Device:
        """What lasts."""
        device = self.device
        bus_bits = device.number("nvmlDeviceGetMemoryBusWidth")
        cores = device.number("nvmlDeviceGetNumGpuCores")
        kind = self._memory.type(bus_bits)
        ecc = self._memory.ecc()
        bandwidth = peak_bandwidth(device.number("nvmlDeviceGetMaxClockInfo", _MEMORY), bus_bits)
        if self._board and bandwidth.peak is None:
            bandwidth = Bandwidth()
        pci_id, pci_address = self._pci()
        return Device(
            id=named.id,
            name=device.text("nvmlDeviceGetName") or named.name,
            vendor="NVIDIA",
            kind="gpu",
            memory_total_bytes=self._memory.read()[0],
            bandwidth_gbs=bandwidth,
            compute_tflops=peak_compute(architecture, cores, device.number("nvmlDeviceGetMaxClockInfo", _SM)),
            memory_type=kind,
            unified_memory=self._memory.unified if architecture else None,
            ecc=ecc,
            architecture=architecture,
            cores=cores,
            pci_id=pci_id,
            pci_address=pci_address,
            uuid=device.text("nvmlDeviceGetUUID"),
            driver=named.driver,
            remarks=ecc_remarks(kind, ecc=ecc),
        )

    def _pci(self) -> tuple[str | None, str | None]:
        """What it is, and where. NVML has the vendor in the lower half of the number."""
        answer = self.device.ask("nvmlDeviceGetPciInfo")
        number = member(answer, "pciDeviceId")
        where = cast("object", getattr(answer, "busId", None))
        what = f"{number & 0xFFFF:04x}:{number >> 16:04x}" if number else None
        return what, where if isinstance(where, str) else None


def _version(capability: object) -> str | None:
    """Major and minor number as "8.9"."""
    return ".".join(map(str, cast("tuple[int, int]", capability))) if isinstance(capability, tuple) else None


def _shared_out(instances: tuple[Device, ...]) -> str:
    if not instances:
        return "MIG is on and no instance has been made: nothing can run on it; sudo nvidia-smi mig -cgi 0 -C makes one"
    return f"MIG: its work is done by {', '.join(each.id for each in instances)}"


def _held(processes: tuple[DeviceProcess, ...] | None) -> int | None:
    """Bytes that processes hold of a memory that is not the GPU's alone; None unless all of them are told."""
    held = [process.memory_bytes for process in processes or ()]
    known = [each for each in held if each is not None]
    return sum(known) if processes is not None and len(known) == len(held) else None


def _together(instances: tuple[Device, ...]) -> tuple[DeviceProcess, ...] | None:
    """Those of all instances; None where one of them does not say."""
    if any(each.processes is None for each in instances):
        return None
    return tuple(process for each in instances for process in each.processes or ())
