"""What this machine is, in sections of labelled lines: made once, printed as text or Markdown."""

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from ..estimator.snapshot import Snapshot
from ..probes.sample import Device, Host, MemoryLayout, MemoryModule, Pcie, PowerLimit, Processor
from .format import UNKNOWN, celsius, exact_rate, megahertz, percent, size, used_of, watts

Line = tuple[str, str]
"""A label, empty for what goes on under the one before, and what is said."""


class Section(Struct, frozen=True):
    """One device, or several that are alike."""

    title: str
    lines: tuple[Line, ...]


def machine(snapshot: Snapshot) -> list[Section]:
    """The machine, its devices, and what could not be read. Names no host, no user, no serial number."""
    alike = [list(group) for _, group in groupby(snapshot.devices, _lasting)]
    sections = [_box(snapshot.host or Host(name=UNKNOWN, os=UNKNOWN)), *(_section(group) for group in alike)]
    return [*sections, *_unread(snapshot)]


def _box(host: Host) -> Section:
    within = [each for each in (host.virtualization, host.container) if each]
    lines = [("system", host.os + (f" ({', '.join(within)})" if within else ""))]
    if host.power_w is not None:
        lines.append(("power", f"{watts(host.power_w)} for the whole machine ({host.power_source})"))
    return Section("this machine", tuple(lines))


def _lasting(device: Device) -> object:
    """Equal for devices that differ in their place and in what they do only."""
    limits = tuple((limit.name, limit.min_w, limit.max_w, limit.default_w, limit.writable) for limit in device.limits)
    return (
        (device.name, device.kind, device.memory_total_bytes, device.bandwidth_gbs.peak, device.compute_tflops),
        (device.parent, device.driver, device.ecc, device.processor, device.remarks, limits, bool(device.problem)),
    )


def _section(devices: Sequence[Device]) -> Section:
    """The facts of the first stand for all; what they do now has a line each."""
    first = devices[0]
    ids = first.id if len(devices) == 1 else f"{first.id} to {devices[-1].id}"
    title = f"{ids}: {f'{len(devices)} x ' if len(devices) > 1 else ''}{first.name}"
    part = f"a part of {first.parent}" if first.parent else None
    # cores of GPUs are counted in other units by each maker: only those of CPUs are shown
    facts = [
        ("cores", _cores(first) if first.kind == "cpu" else None),
        ("", ", ".join(first.processor.instructions) if first.processor else None),
        ("chip", "; ".join(filter(None, (first.architecture, first.driver, part)))),
        ("memory", _memory(first)),
        ("", _modules(first.processor.memory if first.processor else None)),
        ("bandwidth", bandwidth(first) or UNKNOWN),
        ("", first.bandwidth_gbs.basis),
        ("compute", compute(first)),
        ("link", "; ".join(filter(None, (_pcie(first.pcie), _fabric(first))))),
        *(("limit" if at == 0 else "", _limit(limit)) for at, limit in enumerate(first.limits)),
    ]
    lines = [(label, words) for label, words in facts if words]
    for at, device in enumerate(devices):
        words = device.problem or _now(device)
        if words:
            number = f"{device.id}: " if len(devices) > 1 else ""
            lines.append(("now" if at == 0 else "", number + words))
    lines += [("note" if at == 0 else "", remark) for at, remark in enumerate(first.remarks)]
    return Section(title, tuple(lines))


def _unread(snapshot: Snapshot) -> list[Section]:
    """What is missing and why, each thing once."""
    said: dict[str, list[str]] = {}
    for device in snapshot.devices:
        for words in device.unread:
            said.setdefault(words, []).append(device.id)
    lines = [(ids[0] if len(ids) == 1 else f"{ids[0]}, …", words) for words, ids in said.items()]
    lines += [("", note) for note in snapshot.notes]
    if not snapshot.notes and all(device.kind == "cpu" for device in snapshot.devices):
        lines.append(("GPU", "none found"))
    return [Section("not read", tuple(lines))] if lines else []


def _cores(device: Device) -> str:
    chip = device.processor or Processor()
    kinds = [(chip.performance_cores, "performance"), (chip.efficiency_cores, "efficiency")]
    split = " and ".join(f"{number} {kind}" for number, kind in kinds if number)
    parts = [_counted(device.cores, "core") + (f" ({split})" if split else "")]
    parts += [_counted(chip.threads, "thread")] if chip.threads != device.cores else []
    parts += [_counted(chip.sockets, "socket")] if (chip.sockets or 1) > 1 else []
    parts += [_counted(chip.numa_nodes, "NUMA node")] if (chip.numa_nodes or 1) > 1 else []
    return ", ".join(part for part in parts if part)


def _counted(number: int | None, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


def _memory(device: Device) -> str:
    parts = [f"{used_of(device.memory_used_bytes, device.memory_total_bytes)} used"]
    parts += [device.memory_type] if device.memory_type else []
    parts += ["shared with the CPU"] if device.unified_memory else []
    parts += [f"{size(device.carveout_bytes)} of it set apart"] if device.carveout_bytes else []
    parts += [f"ECC {'on' if device.ecc else 'off'}"] if device.ecc is not None else []
    return ", ".join(parts)


def _modules(layout: MemoryLayout | None) -> str | None:
    if layout is None:
        return None
    kinds: dict[MemoryModule, int] = {}
    for module in layout.modules:
        kind = MemoryModule(
            slot="", size_bytes=module.size_bytes, type=module.type, mts=module.mts, rated_mts=module.rated_mts
        )
        kinds[kind] = kinds.get(kind, 0) + 1
    parts = [f"{number} x {_module(kind)}" for kind, number in kinds.items()]
    parts += [f"in {layout.slots} slots"] if layout.slots else []
    if layout.channels:
        total = f" of {layout.channels_total}" if layout.channels_total else ""
        parts.append(f"{layout.channels}{total} channels")
    return ", ".join(parts) or None


def _module(module: MemoryModule) -> str:
    rated = module.rated_mts or module.mts
    name = f"{module.type or 'memory'}{f'-{rated}' if rated else ''}"
    slow = f" at {module.mts} MT/s" if module.mts and module.mts != rated else ""
    return f"{size(module.size_bytes)} {name}{slow}"


def bandwidth(device: Device) -> str:
    """As in "1008 GB/s on paper, 930 GB/s measured (92 %)"; empty where nothing is known."""
    known = device.bandwidth_gbs
    parts = [f"{known.peak:.0f} GB/s on paper"] if known.peak else []
    if known.measured:
        share = f" ({percent(known.measured / known.peak)})" if known.peak else ""
        parts.append(f"{known.measured:.1f} GB/s measured{share}")
    return ", ".join(parts)


def compute(device: Device) -> str:
    """The rates that are known; empty where none is."""
    rates = device.compute_tflops
    named = (("fp16", rates.fp16, "FLOPS"), ("int8", rates.int8, "OPS"), ("fp32", rates.fp32, "FLOPS"))
    return ", ".join(f"{_short(rate)} T{unit} {name}" for name, rate, unit in named if rate)


def _short(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 99.95 else f"{rate:.3g}"


def _pcie(link: Pcie | None) -> str | None:
    if link is None:
        return None
    now, most = _lanes(link.generation, link.width), _lanes(link.generation_max, link.width_max)
    if now and most and now != most:
        return f"PCIe {most}, now {now}"
    return f"PCIe {most or now}" if most or now else None


def _lanes(generation: int | None, width: int | None) -> str:
    return " ".join(filter(None, (f"{generation}.0" if generation else "", f"x{width}" if width else "")))


def _fabric(device: Device) -> str | None:
    fabric = device.fabric
    if fabric is None:
        return None
    rate = f", {fabric.gbs:.0f} GB/s each way" if fabric.gbs else ""
    return f"{fabric.name}: {_counted(fabric.links, 'link')}{rate}"


def _limit(limit: PowerLimit) -> str:
    """As in "board 450 W (150-600 W, default 450 W); you may not change it"."""
    span = f"{limit.min_w:.0f}-{limit.max_w:.0f} W" if limit.min_w is not None and limit.max_w is not None else ""
    if not span and limit.max_w is not None:
        span = f"at most {limit.max_w:.0f} W"
    usual = f"default {limit.default_w:.0f} W" if limit.default_w is not None else ""
    window = f"over {limit.window_s:.3g} s" if limit.window_s else ""
    known = ", ".join(filter(None, (span, usual, window)))
    rights = {True: "; you may change it", False: "; you may not change it", None: ""}[limit.writable]
    return f"{limit.name} {watts(limit.value_w)}{f' ({known})' if known else ''}{rights}"


def _now(device: Device) -> str:
    moving = [
        f"{exact_rate(device.power_w)} W" if device.power_w is not None else "",
        celsius(device.temperature_c) if device.temperature_c is not None else "",
        f"memory {celsius(device.memory_temperature_c)}" if device.memory_temperature_c is not None else "",
        megahertz(device.sm_clock_mhz) if device.sm_clock_mhz is not None else "",
        f"memory {megahertz(device.memory_clock_mhz)}" if device.memory_clock_mhz is not None else "",
        f"{percent(device.utilization)} busy" if device.utilization is not None else "",
        f"held down: {', '.join(device.throttle_reasons)}" if device.throttle_reasons else "",
    ]
    return ", ".join(filter(None, moving))
