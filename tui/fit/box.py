"""The machine that `llmtop fit` is about: this one, or one that is described."""

from collections.abc import Sequence

from msgspec import Struct

from ...estimator.fit import Box
from ...probes.sample import Device
from ..described import described
from ..format import size
from ..refusal import Refusal, WrongUsage


class AskedBox(Struct, frozen=True, kw_only=True):
    """The machine, and how it is called."""

    box: Box
    words: str
    local: bool
    notes: tuple[str, ...] = ()


def asked_box(descriptions: Sequence[str]) -> AskedBox:
    """Resolves `--hardware`; without any it is this machine.

    Raises:
        UnknownName: a part is in no catalogue.
        WrongUsage: parts do not go together.
        Refusal: this machine has not been measured.
    """
    return _described(descriptions) if descriptions else _here()


def _described(descriptions: Sequence[str]) -> AskedBox:
    parts = described(descriptions)
    gpus, cpus = parts.gpus, parts.cpus
    if len(cpus) > 1:
        raise WrongUsage(f"a machine has one kind of CPU, not {' and '.join(cpu.name for cpu in cpus)}")
    cpu = cpus[0] if cpus else None
    if cpu is not None and cpu.memory_total_bytes is None:
        raise WrongUsage(f"how much RAM has the machine with {cpu.name}? Write it behind, as in '{cpu.name} 64GB'")
    notes = list(parts.notes)
    if cpu is None and all(gpu.kind == "gpu" and not gpu.unified_memory for gpu in gpus):
        notes.append("no RAM was named, so nothing is left to the CPU: write it behind, as in '+ 32GB RAM'")
    return AskedBox(box=Box(gpus=gpus, cpu=cpu), words=_words([*gpus, *cpus]), local=False, notes=tuple(notes))


def _here() -> AskedBox:
    from ..here import here  # noqa: PLC0415 - the probes are loaded only where this machine is meant

    found = here()
    about = local_box(found.gpus, found.cpu, found.problems)
    if about is None:
        name = f" ({found.cpu.name})" if found.cpu else ""
        raise Refusal(
            f"the memory bandwidth of this machine{name} is not known: run llmtop probe --measure, "
            "or name other hardware with --hardware"
        )
    return about


def local_box(gpus: tuple[Device, ...], cpu: Device | None, notes: tuple[str, ...]) -> AskedBox | None:
    """The machine that these devices were read on; None where nothing of it has a known bandwidth."""
    known = cpu if cpu and _has_bandwidth(cpu) else None
    if not gpus and known is None:
        return None
    words = _words([*gpus, *([known] if known else [])])
    return AskedBox(box=Box(gpus=gpus, cpu=known), words=words, local=True, notes=notes)


def _has_bandwidth(device: Device) -> bool:
    return bool(device.bandwidth_gbs.peak or device.bandwidth_gbs.measured)


def _words(devices: Sequence[Device]) -> str:
    """As in "2 x RTX 3090 (24.0 GiB each), CPU (64.0 GiB)"."""
    counts: dict[tuple[str, int | None], int] = {}
    for device in devices:
        key = (device.name, device.memory_total_bytes)
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(
        f"{f'{count} x ' if count > 1 else ''}{name} ({size(memory)}{' each' if count > 1 else ''})"
        for (name, memory), count in counts.items()
    )
