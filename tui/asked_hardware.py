"""The devices that `--hardware` and `--devices` mean, or those of this machine."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ..probes.sample import Device
from .described import described
from .refusal import Refusal, WrongUsage

MOST = 256
"""Devices of one machine, or of several that work as one."""


class Hardware(Struct, frozen=True, kw_only=True):
    """What runs the model."""

    devices: tuple[Device, ...]
    """GPUs, or CPUs where there is none."""
    host: Device | None = None
    """The CPU beside GPUs, where it is known."""
    named: bool = True
    """Whether a person named them; else they are those of this machine."""
    notes: tuple[str, ...] = ()
    """What was taken where nothing was said; one line each."""


def asked_hardware(names: Sequence[str], count: int | None, *, cpu_only: bool) -> Hardware:
    """Resolves the names.

    Args:
        names: machines or parts of one, as a person describes them; none for this machine.
        count: how many of each device, None for one, and on this machine for all.
        cpu_only: whether the GPUs of this machine stay out of it.

    Raises:
        UnknownName: a name is not in the catalogue.
        WrongUsage: the devices do not go together, or this machine has fewer.
        Refusal: this machine has not been measured.
    """
    return _named(names, count or 1) if names else _here(count, cpu_only=cpu_only)


def _named(descriptions: Sequence[str], times: int) -> Hardware:
    """One CPU beside GPUs is their host."""
    parts = described(descriptions)
    if parts.gpus and len(parts.cpus) > 1:
        raise WrongUsage(f"beside GPUs goes one CPU, not {' and '.join(cpu.name for cpu in parts.cpus)}")
    every = [device for device in parts.gpus or parts.cpus for _ in range(times)]
    if len(every) > MOST:
        raise WrongUsage(f"{len(every)} devices are more than the {MOST} that are reckoned with")
    return Hardware(
        devices=tuple(replace(device, id=f"{device.name} {at}") for at, device in enumerate(every)),
        host=parts.cpus[0] if parts.gpus and parts.cpus else None,
        notes=parts.notes,
    )


def _here(count: int | None, *, cpu_only: bool) -> Hardware:
    from .here import here  # noqa: PLC0415 - the probes are loaded only where this machine is meant

    found = here()
    if found.gpus and not cpu_only:
        if count and count > len(found.gpus):
            raise WrongUsage(f"--devices {count}: this machine has {len(found.gpus)}; others need --hardware")
        cpu = found.cpu if found.cpu and _has_bandwidth(found.cpu) else None
        return Hardware(devices=found.gpus[:count], host=cpu, named=False)
    if found.cpu is None:
        raise Refusal("no device found on this machine; name one with --hardware")
    if (count or 1) > 1:
        raise WrongUsage("--devices counts GPUs, and this machine has none; name others with --hardware")
    if not _has_bandwidth(found.cpu):
        raise Refusal(
            f"the memory bandwidth of this machine ({found.cpu.name}) is not known: run llmtop probe --measure, "
            "or name other hardware with --hardware"
        )
    return Hardware(devices=(found.cpu,), named=False)


def _has_bandwidth(device: Device) -> bool:
    return bool(device.bandwidth_gbs.peak or device.bandwidth_gbs.measured)
