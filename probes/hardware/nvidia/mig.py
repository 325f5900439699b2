"""The instances that an NVIDIA GPU in MIG mode is shared out in, each a device of its own.

NVIDIA's MIG user guide, "Concepts": a memory slice is an eighth of the memory of a GPU, with an eighth of its bandwidth
and cache; an SM slice is a seventh of its SMs. The smallest profile of A100 and H100 has one of each; A30 and RTX PRO
6000 are shared out in four at most, with two eighths of the memory each ("Supported MIG Profiles").
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from ...sample import Bandwidth, Compute, Device
from .nvml import NvmlDevice, member
from .processes import NvidiaProcesses
from .rates import lanes

_LOOK_S = 10.0
"""Seconds between two looks at which instances there are."""
_SLICES = 8
_MOST = 7
_ENABLED = 1


class _Instance(Struct):
    device: NvmlDevice
    facts: Device
    users: NvidiaProcesses
    shares_with: int | None
    """The GPU instance that it is a compute instance of: all of those use its memory together."""


class NvidiaInstances:
    """Reads them. Their ids are that of the GPU and their index on it, as in `nvidia-smi -L`: "nvidia0.1"."""

    def __init__(self, device: NvmlDevice, clock: Callable[[], float]) -> None:
        self._device = device
        self._clock = clock
        self._instances: dict[str, _Instance] | None = None
        self._due = 0.0

    def read(self, parent: Device) -> tuple[Device, ...] | None:
        """One reading; None where the GPU is not shared out, empty where no instance has been made."""
        now = self._clock()
        if now >= self._due:
            self._due = now + _LOOK_S
            self._instances = self._look(parent)
        if self._instances is None:
            return None
        return tuple(self._read(instance, parent) for instance in self._instances.values())

    def _look(self, parent: Device) -> dict[str, _Instance] | None:
        mode = self._device.ask("nvmlDeviceGetMigMode")
        if not isinstance(mode, list) or mode[0] != _ENABLED:
            return None
        known, found = self._instances or {}, dict[str, _Instance]()
        for index in range(self._device.number("nvmlDeviceGetMaxMigDeviceCount") or _MOST):
            handle = self._device.ask("nvmlDeviceGetMigDeviceHandleByIndex", index)
            if handle is None:
                continue
            device = NvmlDevice(self._device.nvml, handle, self._clock)
            name = f"{parent.id}.{index}"
            uuid = device.text("nvmlDeviceGetUUID")
            before = known.get(name)
            if before and uuid and before.facts.uuid == uuid:
                before.device.handle = handle
                found[name] = before
            else:
                users = NvidiaProcesses(device, self._clock)
                whole = device.number("nvmlDeviceGetGpuInstanceId")
                found[name] = _Instance(device, _meet(device, parent, name, uuid), users, whole)
        return found

    def _read(self, instance: _Instance, parent: Device) -> Device:
        """One that was taken away since the last look answers nothing; the next reading looks again."""
        memory = instance.device.ask("nvmlDeviceGetMemoryInfo")
        if memory is None:
            self._due = 0.0
        whole = instance.shares_with
        together = sum(each.shares_with == whole for each in (self._instances or {}).values())
        more = together - 1 if whole is not None else 0
        remarks = (f"shares memory and bandwidth with {more} more on GPU instance {whole}",) if more else ()
        return replace(
            instance.facts,
            memory_used_bytes=member(memory, "used"),
            sm_clock_mhz=parent.sm_clock_mhz,
            memory_clock_mhz=parent.memory_clock_mhz,
            throttle_reasons=parent.throttle_reasons,
            processes=instance.users.read(),
            remarks=remarks,
        )


def _meet(device: NvmlDevice, parent: Device, name: str, uuid: str | None) -> Device:
    """What lasts of an instance: its part of what its GPU has.

    It has no `pci_id`, by which it would be taken for the whole card.
    """
    attributes = device.ask("nvmlDeviceGetAttributes_v2")
    total = member(device.ask("nvmlDeviceGetMemoryInfo"), "total") or None
    multiprocessors = member(attributes, "multiprocessorCount")
    size = (member(attributes, "memorySizeMB") or 0) << 20 or total
    each = lanes(parent.architecture)
    cores = multiprocessors * each if multiprocessors and each else None
    return Device(
        id=name,
        name=device.text("nvmlDeviceGetName") or f"{parent.name} MIG",
        vendor=parent.vendor,
        kind=parent.kind,
        memory_total_bytes=total,
        bandwidth_gbs=bandwidth_part(parent.bandwidth_gbs, size, parent.memory_total_bytes),
        compute_tflops=_compute_part(parent.compute_tflops, cores, parent.cores),
        memory_type=parent.memory_type,
        unified_memory=parent.unified_memory,
        ecc=parent.ecc,
        architecture=parent.architecture,
        cores=cores,
        pci_address=parent.pci_address,
        uuid=uuid,
        parent=parent.id,
        driver=parent.driver,
        unread=(f"power: the driver measures that of {parent.id} as a whole only",),
    )


def bandwidth_part(whole: Bandwidth, size_bytes: int | None, total_bytes: int | None) -> Bandwidth:
    """That of an instance by its memory slices, which a size tells: a little less than so many eighths is free."""
    if whole.peak is None or not size_bytes or not total_bytes:
        return Bandwidth(basis="the driver does not state the bandwidth of the GPU or the part of this instance")
    slices = min(max(round(_SLICES * size_bytes / total_bytes), 1), _SLICES)
    basis = f"{slices} of {_SLICES} memory slices of {whole.peak:.0f} GB/s (NVML, MIG user guide)"
    return Bandwidth(peak=whole.peak * slices / _SLICES, basis=basis)


def _compute_part(whole: Compute, cores: int | None, total: int | None) -> Compute:
    if not cores or not total:
        return Compute(basis="the driver does not state the SMs of this instance")
    share = cores / total

    def part(rate: float | None) -> float | None:
        return None if rate is None else rate * share

    basis = f"{cores} of {total} cores of the GPU"
    return Compute(fp32=part(whole.fp32), fp16=part(whole.fp16), int8=part(whole.int8), basis=basis)
