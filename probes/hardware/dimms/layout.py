"""How the main memory is populated: from the firmware's table, or from whoever read it for us."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ...sample import MemoryLayout, MemoryModule
from ..files import ROOT, read_text
from .channels import Channel, channel_key, lone_channels, named_channels, poweredge_key
from .cpu_channels import cpu_channels
from .edac import edac_memory
from .slot import MemorySlot
from .smbios import corrects_errors
from .smbios import slots as smbios_slots
from .udev import udev_corrects_errors, udev_slots

_TABLE = "sys/firmware/dmi/tables/DMI"


class MemoryFacts(Struct, frozen=True, kw_only=True):
    """What is known of the modules and channels."""

    slots: tuple[MemorySlot, ...] = ()
    channels: tuple[Channel, ...] = ()
    """Those with a module."""
    channels_total: int | None = None
    basis: str | None = None
    """Where that comes from, in words: "SMBIOS"."""
    type: str | None = None
    """"DDR5", where all are alike."""
    ecc: bool | None = None
    """Whether it corrects errors."""
    unread: str | None = None

    @property
    def modules(self) -> tuple[MemorySlot, ...]:
        """The slots that hold something."""
        return tuple(slot for slot in self.slots if not slot.empty)

    @property
    def peak_gbs(self) -> float | None:
        """GB/s on paper: channels x MT/s x 8 bytes."""
        if not self.channels or any(channel.mts is None for channel in self.channels):
            return None
        return sum((channel.mts or 0) * channel.bits / 8 for channel in self.channels) / 1000

    @property
    def layout(self) -> MemoryLayout | None:
        """The same in the words of a `Processor`."""
        if not self.slots and not self.channels:
            return None
        return MemoryLayout(
            modules=tuple(_module(slot) for slot in self.modules),
            slots=len(self.slots) or None,
            channels=len(self.channels) or None,
            channels_total=self.channels_total,
        )


def memory_facts(
    root: Path = ROOT,
    *,
    cpu: str | None = None,
    sockets: int | None = None,
    virtual: str | None = None,
    container: str | None = None,
) -> MemoryFacts:
    """Reads them once, in a millisecond; `cpu` is its name, `virtual` and `container` say what this runs in."""
    if virtual:
        return MemoryFacts(unread=f"memory channels: the virtual machine ({virtual}) does not show them")
    slots, source, ecc = _slots(root)
    if not any(not slot.empty for slot in slots):
        return _without_table(root, container)
    kinds = {slot.type for slot in slots if not slot.empty}
    facts = MemoryFacts(slots=slots, basis=source, type=kinds.pop() if len(kinds) == 1 else None, ecc=ecc)
    return _with_channels(facts, root, cpu, sockets or 1)


def _slots(root: Path) -> tuple[tuple[MemorySlot, ...], str, bool | None]:
    """The slots, whose word they are, and whether the memory corrects errors."""
    try:
        table = (root / _TABLE).read_bytes()
    except OSError:
        return udev_slots(root), "SMBIOS, by way of udev", udev_corrects_errors(root)
    return tuple(smbios_slots(table)), "SMBIOS", corrects_errors(table)


def _without_table(root: Path, container: str | None) -> MemoryFacts:
    """Where nobody tells of modules: the channels at least, where errors are counted."""
    table = root / _TABLE
    told = edac_memory(root)
    if _is_there(table) and not _readable(table):
        what = "memory speed" if told else "memory channels"
        unread = f"{what}: {table} may be read by root only; sudo chmod a+r {table} allows it until the next boot"
    elif container and not told:
        unread = (
            f"memory channels: the container ({container}) hides the firmware's tables; llmtop outside of it sees them"
        )
    else:
        unread = None
    if told is None:
        return MemoryFacts(unread=unread)
    channels = tuple(Channel(mts=None, bits=64, size_bytes=1) for _ in range(told.channels))
    return MemoryFacts(channels=channels, basis="EDAC", type=told.type, unread=unread)


def _with_channels(facts: MemoryFacts, root: Path, cpu: str | None, sockets: int) -> MemoryFacts:
    """Adds the channels, by the names of the slots or else by counting; says so where neither tells."""
    per_socket = cpu_channels(cpu)
    modules = facts.modules
    found = named_channels(facts.slots, poweredge_key(per_socket)) if per_socket and _is_poweredge(root) else None
    found = found or (None if _is_poweredge(root) else named_channels(facts.slots, channel_key))
    basis = facts.basis
    total = len(found) if found else None
    if found is None and per_socket and all(module.module for module in modules):
        total = per_socket * sockets
        if len(modules) <= total:
            found, basis = lone_channels(modules), f"{basis}; each module taken for a channel of its own"
        elif len(modules) % total == 0:
            found, basis = lone_channels(modules[:total]), f"{basis}; modules taken for spread over all channels"
    populated = tuple(channel for channel in found or () if channel.size_bytes)
    widest = 64 * sockets * (per_socket or 1 << 16)
    if not populated or sum(channel.bits for channel in populated) > widest:
        names = ", ".join(dict.fromkeys(slot.device or "no name" for slot in modules[:2]))
        words = f"memory channels: the firmware's names of the slots ({names}) do not tell them"
        return replace(facts, unread=words)
    return replace(facts, channels=populated, channels_total=total, basis=basis, unread=_no_speed(populated))


def _no_speed(channels: Sequence[Channel]) -> str | None:
    unknown = any(channel.mts is None for channel in channels)
    return "memory speed: the firmware does not tell it" if unknown else None


def _is_poweredge(root: Path) -> bool:
    folder = root / "sys/class/dmi/id"
    vendor, product = (read_text(folder / name) or "" for name in ("sys_vendor", "product_name"))
    return vendor.startswith("Dell") and product.startswith("PowerEdge")


def _is_there(path: Path) -> bool:
    return os.access(path, os.F_OK)


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def _module(slot: MemorySlot) -> MemoryModule:
    return MemoryModule(
        slot=" ".join(part for part in (slot.device, slot.bank) if part and part != "Not Specified"),
        size_bytes=slot.size_bytes,
        type=slot.type,
        mts=slot.speed_mts,
        rated_mts=slot.rated_mts,
    )
