"""What is tuned: devices whose limit can be told, and the engine whose speed answers."""

from collections.abc import Sequence

from msgspec import Struct

from ...estimator.snapshot import EngineView, Snapshot
from ...probes.limits.contract import Limit
from ...probes.limits.of_device import limits_of, may_set, why_not
from ...probes.sample import Device
from ..format import address
from ..refusal import Refusal, WrongUsage

WORKS = frozenset({"ok", "idle"})


class Target(Struct, frozen=True, kw_only=True):
    """Devices that move in step, and an engine on them."""

    devices: tuple[Device, ...]
    limits: tuple[tuple[Limit, ...], ...]
    """Those of each device: a CPU has one for each package."""
    engine: EngineView | None
    may_write: bool | None
    """None where only trying would tell."""
    notes: tuple[str, ...] = ()

    @property
    def flat(self) -> tuple[Limit, ...]:
        """All limits in the order of the devices."""
        return tuple(limit for each in self.limits for limit in each)

    @property
    def name(self) -> str:
        """The devices for a person: "2 x RTX 3090"."""
        names = [device.name for device in self.devices]
        counts = {name: names.count(name) for name in dict.fromkeys(names)}
        return " + ".join(f"{count} x {name}" if count > 1 else name for name, count in counts.items())


def target(snapshot: Snapshot, wanted: Sequence[str], engine: EngineView | None) -> Target:
    """Finds the devices: those that are wanted, else those of the engine, else the only one that can be tuned.

    Raises:
        WrongUsage: a device is not known, or it is not clear which is meant.
        Refusal: none of them has a limit that can be set.
    """
    devices = _wanted(snapshot.devices, wanted) if wanted else _of_engine(snapshot, engine)
    limits = tuple(limits_of(device) for device in devices)
    for device, found in zip(devices, limits, strict=True):
        if not found:
            raise Refusal(why_not(device) or f"the power limit of {device.name} cannot be set")
    rights = [may_set(device) for device in devices]
    return Target(
        devices=devices,
        limits=limits,
        engine=engine,
        may_write=False if False in rights else None if None in rights else True,
        notes=_notes(snapshot, devices, engine),
    )


def chosen_engine(snapshot: Snapshot, devices: Sequence[str], *, named: bool = False) -> EngineView | None:
    """The engine whose speed is meant: one that works now, on these devices where they are named.

    One that is named itself is meant wherever it runs.

    Raises:
        WrongUsage: several work there.
    """
    alive = [view for view in snapshot.engines if view.status in WORKS]
    if devices and not named:
        ids = {device.id for device in _wanted(snapshot.devices, devices)}
        alive = [view for view in alive if not view.devices or ids & set(view.devices)]
    busy = [view for view in alive if view.status == "ok"]
    found = busy or alive
    if len(found) > 1:
        names = ", ".join(f"{view.engine} {address(view.url)}" for view in found)
        raise WrongUsage(f"which engine? {names}; name one with --url")
    return found[0] if found else None


def unmeasured(engine: EngineView | None, *, generate: bool) -> str | None:
    """Why its speed cannot be measured at all, and what to do; None where it can."""
    if engine is None:
        return "no engine runs here, so there is no speed to measure"
    if engine.liveness == "request" and not generate:
        where = f"{engine.engine} {address(engine.url)}"
        return f"{where} counts tokens at the end of each request only: let llmtop make the load (--load generate)"
    return None


def _wanted(devices: Sequence[Device], names: Sequence[str]) -> tuple[Device, ...]:
    found: dict[str, Device] = {}
    for name in names:
        same = [device for device in devices if name.casefold() in _names(device)]
        if not same:
            known = ", ".join(f"{device.id} ({device.name})" for device in devices) or "none"
            raise WrongUsage(f"no device {name[:60]!r} here; there are: {known}")
        if len(same) > 1:
            raise WrongUsage(f"{name[:60]!r} may be {', '.join(device.id for device in same)}: name it so")
        found[same[0].id] = same[0]
    return tuple(found.values())


def _names(device: Device) -> set[str]:
    number = device.id.lstrip("abcdefghijklmnopqrstuvwxyz")
    told = (device.id, device.name, device.uuid, device.pci_address, number if device.kind == "gpu" else None)
    return {each.casefold() for each in told if each}


def _of_engine(snapshot: Snapshot, engine: EngineView | None) -> tuple[Device, ...]:
    by_id = {device.id: device for device in snapshot.devices}
    served = [by_id[name] for name in engine.devices if name in by_id] if engine else []
    whole = dict.fromkeys(by_id.get(device.parent or "", device).id for device in served)
    if whole:
        return tuple(by_id[name] for name in whole)
    able = [device for device in snapshot.devices if device.parent is None and limits_of(device)]
    if len(able) == 1:
        return (able[0],)
    if able:
        ids = ", ".join(f"{device.id} ({device.name})" for device in able)
        raise WrongUsage(f"which device? {ids}; name it with --device, once for each that serves the engine")
    reasons = [reason for device in snapshot.devices if (reason := why_not(device))]
    raise Refusal("; ".join(dict.fromkeys(reasons)) or "no device of this machine has a power limit that can be set")


def _notes(snapshot: Snapshot, devices: Sequence[Device], engine: EngineView | None) -> tuple[str, ...]:
    ids = {device.id for device in devices}
    others = [
        f"{view.engine} {address(view.url)}"
        for view in snapshot.engines
        if view.status == "ok" and ids & set(view.devices) and (engine is None or view.id != engine.id)
    ]
    notes: list[str] = []
    for device in devices:
        now_w, stock_w = device.power_limit_w, device.power_limit_default_w
        if now_w and stock_w and now_w < stock_w - 1.0:
            lowered = f"{now_w:.0f} W, below its stock {stock_w:.0f} W"
            notes.append(f"the limit of {device.name} stands at {lowered}: a sweep tries nothing higher")
    if others:
        notes.append(f"{', '.join(others)} works there too: what it draws and slows down is measured as well")
    missing = sorted(set(engine.devices) - ids) if engine else []
    if engine and missing and not ids & set(engine.devices):
        notes.append(
            f"{engine.engine} runs on {', '.join(missing)}, as far as can be seen: other limits may not touch it"
        )
    elif engine and missing:
        notes.append(f"{engine.engine} runs on {', '.join(missing)} too, whose limit stays as it is")
    return tuple(notes)
