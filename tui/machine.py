"""What this machine is, in sections of labelled lines: made once, printed as text or Markdown."""

from collections.abc import Mapping, Sequence

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
    alike: dict[object, list[Device]] = {}
    for device in snapshot.devices:
        alike.setdefault(_lasting(device), []).append(device)
    place = {device.id: at for at, device in enumerate(snapshot.devices)}
    sections = [_box(snapshot.host or Host(name=UNKNOWN, os=UNKNOWN))]
    sections += [_section(group, _ids(group, place)) for group in alike.values()]
    return [*sections, *_unread(snapshot)]


def _box(host: Host) -> Section:
    within = [each for each in (host.virtualization, host.container) if each]
    lines = [("system", host.os + (f" ({', '.join(within)})" if within else ""))]
    if host.power_w is not None:
        lines.append(("power", f"{watts(host.power_w)} for the whole machine ({host.power_source})"))
    return Section("this machine", tuple(lines))


def _lasting(device: Device) -> object:
    """Equal for devices that differ in their place and in what they do only."""
    link = device.pcie or Pcie()
    return (
        (device.name, device.kind, device.memory_total_bytes, device.bandwidth_gbs.peak, device.compute_tflops),
        (device.parent, device.driver, device.ecc, device.processor, device.remarks, device.limits),
        (device.fabric, link.width, link.generation_max, link.width_max, bool(device.problem)),
    )


def _ids(devices: Sequence[Device], place: Mapping[str, int]) -> str:
    """As in "nvidia0, nvidia2 to nvidia7"; `place` is where each stands among all."""
    runs: list[list[str]] = []
    for device in devices:
        if runs and place[device.id] == place[runs[-1][-1]] + 1:
            runs[-1].append(device.id)
        else:
            runs.append([device.id])
    return ", ".join(" to ".join([run[0], run[-1]] if len(run) > 1 else run) for run in runs)


def _section(devices: Sequence[Device], ids: str) -> Section:
    """The facts of the first stand for all; what they do now has a line each."""
    first = devices[0]
    title = f"{ids}: {f'{len(devices)} x ' if len(devices) > 1 else ''}{first.name}"
    part = f"a part of {first.parent}" if first.parent else None
    # cores of GPUs are counted in other units by each maker: only those of CPUs are shown
    facts = [
        ("cores", _cores(first) if first.kind == "cpu" else None),
        ("", ", ".join(first.processor.instructions) if first.processor else None),
        ("chip", "; ".join(filter(None, (_architecture(first), first.driver, part)))),
        ("memory", _memory(devices)),
        ("", _modules(first.processor.memory if first.processor else None)),
        ("bandwidth", _bandwidths(devices) or UNKNOWN),
        ("", next((each for each in devices if each.bandwidth_gbs.measured), first).bandwidth_gbs.basis),
        ("compute", compute(first)),
        ("link", "; ".join(filter(None, (_pcie([device.pcie for device in devices]), _fabric(first))))),
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


def _architecture(device: Device) -> str | None:
    if device.vendor == "NVIDIA" and device.architecture:
        return f"compute capability {device.architecture}"
    return device.architecture


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


def _memory(devices: Sequence[Device]) -> str:
    """What is used of each, from the emptiest to the fullest where they are several."""
    device = devices[0]
    used = [each.memory_used_bytes for each in devices if each.memory_used_bytes is not None]
    if len(set(used)) > 1:
        parts = [f"{size(device.memory_total_bytes)} each, {size(min(used))} to {size(max(used))} used"]
    elif used:
        parts = [f"{used_of(used[0], device.memory_total_bytes)} used"]
    else:
        parts = [size(device.memory_total_bytes)] if device.memory_total_bytes else []
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


def _bandwidths(devices: Sequence[Device]) -> str:
    """As `bandwidth`, with the slowest and the fastest of several."""
    measured = sorted(known.measured for device in devices if (known := device.bandwidth_gbs).measured)
    peak = devices[0].bandwidth_gbs.peak
    if len(devices) == 1 or not measured:
        return bandwidth(devices[0])
    number = f" on {len(measured)} of {len(devices)}" if len(measured) < len(devices) else ""
    span = f"{measured[0]:.1f} to {measured[-1]:.1f}" if measured[0] < measured[-1] else f"{measured[0]:.1f}"
    share = f" ({percent(measured[0] / peak)} at least)" if peak else ""
    paper = f"{peak:.0f} GB/s on paper, " if peak else ""
    return f"{paper}{span} GB/s measured{number}{share}"


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


def _pcie(links: Sequence[Pcie | None]) -> str | None:
    """Of several what they can do, unless they all run alike: at rest a link slows down."""
    link = links[0]
    if link is None:
        return None
    now, most = _lanes(link.generation, link.width), _lanes(link.generation_max, link.width_max)
    if now and most and now != most and len(set(links)) == 1:
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
        # the CPU has been busy with this very look
        f"{percent(device.utilization)} busy" if device.utilization is not None and device.kind != "cpu" else "",
        f"held down: {', '.join(device.throttle_reasons)}" if device.throttle_reasons else "",
    ]
    return ", ".join(filter(None, moving))
