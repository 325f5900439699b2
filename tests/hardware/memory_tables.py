"""Machines by their memory slots: tests/data/hardware/smbios, written as SMBIOS tables and as udev's database."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent.parent / "data/hardware/smbios"
END = bytes([127, 4, 0xFE, 0xFF, 0, 0])
TYPES = {"DDR4": 0x1A, "DDR5": 0x22, "LPDDR5": 0x23, "Flash": 0x09, "Logical non-volatile device": 0x1F}
FORMS = {"Other": 0x01, "DIMM": 0x09, "Row Of Chips": 0x0B, "SODIMM": 0x0D}


class Slot(NamedTuple):
    """A line of a file."""

    device: str
    bank: str = ""
    gib: int = 0
    kind: str = ""
    form: str = ""
    rated: int = 0
    mts: int = 0
    bits: int = 0


def machine(name: str) -> list[Slot]:
    """The slots of one file."""
    return list(_slots((FOLDER / f"{name}.txt").read_text("utf-8")))


def _slots(text: str) -> Iterator[Slot]:
    for line in text.splitlines():
        if not line.startswith("#"):
            devices, bank, *facts = (part.strip() for part in line.split("|"))
            for device in devices.split(", "):
                if facts:
                    gib, kind, form, rated, mts, bits = facts
                    yield Slot(device, bank, int(gib), kind, form, int(rated), int(mts), int(bits))
                else:
                    yield Slot(device, bank)


def structure(kind: int, body: bytes, *strings: str) -> bytes:
    """Header, formatted area and string set; a set without strings is two zeros."""
    tail = b"".join(text.encode() + b"\0" for text in strings) + b"\0"
    return struct.pack("<BBH", kind, 4 + len(body), 0x1100) + body + (tail if strings else b"\0\0")


def memory_device(
    device: str,
    bank: str,
    *,
    mts: int = 6000,
    configured: int | None = None,
    size: int = 0x4000,
    bits: int = 64,
    extended: int = 0,
    extended_size: int = 0,
    kind: int = 0,
    form: int = 0x09,
) -> bytes:
    """A type 17 structure of SMBIOS 3.3 (5Ch bytes)."""
    body = bytearray(0x5C - 4)

    def put(offset: int, layout: str, *values: int) -> None:
        struct.pack_into(layout, body, offset - 4, *values)

    put(0x08, "<HHHB", bits, bits, size, form)
    put(0x10, "<BBB", 1, 2, kind)
    put(0x15, "<H", mts)
    put(0x1C, "<I", extended_size)
    put(0x20, "<H", mts if configured is None else configured)
    put(0x58, "<I", extended)
    return structure(17, bytes(body), device, bank)


def write(root: Path, *structures: bytes) -> Path:
    """Puts them into the table of a root."""
    folder = root / "sys/firmware/dmi/tables"
    folder.mkdir(parents=True)
    (folder / "DMI").write_bytes(structure(0, bytes(20), "Vendor", "1.0") + b"".join(structures) + END)
    return root


def write_table(root: Path, slots: list[Slot]) -> Path:
    """As the firmware has it: sizes of 32 GiB and more do not fit into the old field."""
    return write(root, *map(_device, slots))


def _device(slot: Slot) -> bytes:
    mib = slot.gib << 10
    return memory_device(
        slot.device,
        slot.bank,
        mts=slot.rated,
        configured=slot.mts,
        size=min(mib, 0x7FFF),
        extended_size=mib if mib >= 0x7FFF else 0,
        bits=slot.bits,
        kind=TYPES.get(slot.kind, 0x02),
        form=FORMS.get(slot.form, 0x02),
    )


def write_udev(root: Path, slots: list[Slot]) -> Path:
    """As systemd's `dmi_memory_id` prints it, and udev keeps it."""
    lines = ["I:4242424", f"E:MEMORY_ARRAY_NUM_DEVICES={len(slots)}", "E:MEMORY_ARRAY_LOCATION=System Board"]
    for number, slot in enumerate(slots):
        told: dict[str, object] = {
            "FORM_FACTOR": slot.form or "Unknown",
            "LOCATOR": slot.device,
            "BANK_LOCATOR": slot.bank,
        }
        told["TYPE"] = slot.kind or "Unknown"
        if slot.gib:
            told |= {"SIZE": slot.gib << 30, "DATA_WIDTH": slot.bits, "SPEED_MTS": slot.rated}
            told |= {"CONFIGURED_SPEED_MTS": slot.mts, "MANUFACTURER": "Somebody"}
        else:
            told["PRESENT"] = 0
        lines += [f"E:MEMORY_DEVICE_{number}_{key}={value}" for key, value in told.items()]
    path = root / "run/udev/data/+dmi:id"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([*lines, "V:1", ""]), "utf-8")
    return root
