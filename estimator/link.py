"""Which devices an engine runs on, and what part of their work is its own."""

from collections.abc import Mapping, Sequence

from ..probes.sample import Device, Engine

_CONTEXT = 0.05
"""Share of its largest holding below which what a process holds on a GPU is a driver's context, no part of a model."""
_LARGEST_CONTEXT = 800 << 20
"""Bytes that no context takes, however much the largest holding is: CUDA's own take some hundred MiB."""
_UNSEEN = 0.1
"""Share of the memory of a GPU, in use by nobody that the driver names, from which somebody unnamed must work there:
in a container the driver hides the processes, while its own share is a few percent."""
_TRIFLE = 0.05
"""Share of a model's weights below which what all use of a GPU's memory is no part of the model worth the name."""
_ORDERS = {"nvidia": "NVIDIA", "cuda": "NVIDIA", "rocm": "AMD", "intel": "Intel"}


def serving(engine: Engine, devices: list[Device]) -> list[Device]:
    """The devices that serve an engine; empty when it cannot be told.

    A GPU serves it when one of its processes holds more memory there than a context takes; where the GPU is shared out,
    its instance does. A chip of Apple is all that there is: CPU and GPU share its memory. Where the driver names none
    of them, its environment and command line may tell. A local engine whose processes are known runs on the CPU if each
    GPU says who holds its memory and does not name it, or has too little in use for the model. Everything else stays
    unknown.
    """
    if not engine.local:
        return []
    gpus = [device for device in devices if device.kind != "cpu"]
    cpus = [device for device in devices if device.kind == "cpu"]
    chips = [device for device in gpus if device.kind == "apple"]
    if chips:
        return chips
    if not gpus:
        return cpus
    holding = [(gpu, held(gpu, engine)) for gpu in gpus]
    most = max((held or 0 for _, held in holding), default=0)
    found = [gpu for gpu, held in holding if held is not None and held >= _CONTEXT * most]
    if found:
        shared_out = {gpu.parent for gpu in found}
        return [gpu for gpu in found if gpu.id not in shared_out]
    if engine.visible_devices == () and all(gpu.vendor == "NVIDIA" for gpu in gpus):
        return cpus
    silent = [gpu for gpu in gpus if gpu.processes is None or _hides_somebody(gpu)]
    if any(_may_hold(gpu, engine) for gpu in silent):
        return _named(engine.visible_devices, gpus)
    return cpus if engine.pids else []


def share(engine: Engine, device: Device) -> float | None:
    """The part of a device's work that is the engine's, 0-1, by the time that it worked for each process.

    1 where nobody else holds much memory there. None where others do and the driver does not say who works, or nobody
    does.
    """
    if device.processes is None or not neighbours(engine, device):
        return 1.0
    worked = [(process.pid in engine.pids, process.utilization) for process in device.processes]
    total = sum(time for _, time in worked if time is not None)
    if any(time is None for _, time in worked) or not total:
        return None
    return sum(time for own, time in worked if own and time is not None) / total


def neighbours(engine: Engine, device: Device) -> tuple[int, ...]:
    """Processes of others that hold more on it than a context takes, beside what the engine holds there."""
    own = held(device, engine)
    if own is None:
        return ()
    return tuple(
        process.pid
        for process in device.processes or ()
        if process.pid not in engine.pids and (process.memory_bytes or 0) > min(_CONTEXT * own, _LARGEST_CONTEXT)
    )


def shared(engine: Engine, device: Device, names: Mapping[int, str]) -> str:
    """Who else works on a device, and whether the driver tells them apart; `names` are those of engines, by pid."""
    others = dict.fromkeys(names.get(pid, f"process {pid}") for pid in neighbours(engine, device))
    part = share(engine, device)
    told = "not told apart by the driver" if part is None else f"{part:.0%} of its work is this engine's"
    return f"{device.name} is shared with {', '.join(others)} ({told})"


def contested(engine: Engine, others: Sequence[Engine], devices: list[Device]) -> frozenset[str]:
    """Devices that do not say for whom they work, where it may be for another engine: one that rests draws nothing."""
    silent = [device for device in serving(engine, devices) if device.processes is None]
    beside = [other for other in others if other is not engine and other.status in {"ok", "idle"}] if silent else []
    if engine.status == "ok":
        beside = [other for other in beside if other.status == "ok"]
    taken = {device.id for other in beside for device in serving(other, devices)}
    return frozenset(device.id for device in silent if device.id in taken)


def power(engine: Engine, devices: list[Device], apart_from: frozenset[str] = frozenset()) -> float | None:
    """Watts that devices draw for an engine; None when one of them does not say, or not for whom (`contested`)."""
    watts = [None if device.id in apart_from else _power(engine, device) for device in devices]
    known = [each for each in watts if each is not None]
    return sum(known) if known and len(known) == len(watts) else None


def shares(engine: Engine, devices: list[Device], others: Sequence[Engine]) -> dict[str, float] | None:
    """By id, the part of each device that serves an engine which works for it; None when one of them is not known.

    `devices` are those of the machine, `others` the readings of all engines.
    """
    served_by = serving(engine, devices)
    silent = any(device.processes is None for device in served_by)
    apart_from = contested(engine, others, devices) if silent else frozenset[str]()
    parts = {device.id: None if device.id in apart_from else share(engine, device) for device in served_by}
    known = {name: part for name, part in parts.items() if part is not None}
    return known if known and len(known) == len(parts) else None


def moved(devices: Sequence[Device]) -> float | None:
    """The measured share of the peak bandwidth that devices move together; None unless all of them measure it."""
    used = [device.bandwidth_utilization for device in devices]
    known = [each for each in used if each is not None]
    if not known or len(known) < len(used):
        return None
    peaks = [device.bandwidth_gbs.peak or 0.0 for device in devices]
    weights = peaks if all(peaks) else [1.0] * len(known)
    return sum(each * weight for each, weight in zip(known, weights, strict=True)) / sum(weights)


def _power(engine: Engine, device: Device) -> float | None:
    part = share(engine, device)
    return None if device.power_w is None or part is None else device.power_w * part


def held(device: Device, engine: Engine) -> int | None:
    """Bytes that its processes hold on a device, 0 where the driver does not say how many; None where they do not."""
    held = [process.memory_bytes or 0 for process in device.processes or () if process.pid in engine.pids]
    return sum(held) if held else None


def _hides_somebody(device: Device) -> bool:
    """Whether more is in use than those hold who are named; a GPU with its own memory that does not say may hide.

    One that cannot be read and still names its processes sleeps: it works for nobody.
    """
    used, total, processes = device.memory_used_bytes, device.memory_total_bytes, device.processes or ()
    if any(process.memory_bytes is None for process in processes):
        return False
    if used is None or total is None:
        return not device.unified_memory and device.problem is None
    return used - sum(process.memory_bytes or 0 for process in processes) > _UNSEEN * total


def _may_hold(device: Device, engine: Engine) -> bool:
    """Whether enough of its memory is in use for a part of the engine's model."""
    weights = engine.model.weight_bytes if engine.model else None
    used = device.memory_used_bytes
    return weights is None or used is None or used >= _TRIFLE * weights


def _named(names: tuple[str, ...] | None, gpus: list[Device]) -> list[Device]:
    """The devices of these names; none where one of them could be more than one device."""
    found = [_one(name, gpus) for name in names or ()]
    return [gpu for gpu in found if gpu is not None] if all(found) else []


def _one(name: str, gpus: list[Device]) -> Device | None:
    by_uuid = [gpu for gpu in gpus if gpu.uuid and gpu.uuid.startswith(name)]
    if len(by_uuid) == 1:
        return by_uuid[0]
    order = name.rstrip("0123456789")
    index = name[len(order) :]
    row = [gpu for gpu in gpus if gpu.vendor == _ORDERS.get(order, gpu.vendor) and gpu.parent is None]
    alike = len({(gpu.vendor, gpu.name) for gpu in row}) == 1
    known = order == "nvidia" or (alike and order in {*_ORDERS, "gpu", "vulkan"})
    found = row[int(index)] if index and known and int(index) < len(row) else None
    return None if found and any(gpu.parent == found.id for gpu in gpus) else found
