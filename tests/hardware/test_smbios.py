"""Memory channels from SMBIOS tables built after DMTF DSP0134, section 7.18 (Memory Device, type 17)."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.smbios import Channel, channel_key, memory_channels, modules

END = bytes([127, 4, 0xFE, 0xFF, 0, 0])


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
) -> bytes:
    """A type 17 structure of SMBIOS 3.3 (5Ch bytes)."""
    body = bytearray(0x5C - 4)

    def put(offset: int, layout: str, *values: int) -> None:
        struct.pack_into(layout, body, offset - 4, *values)

    put(0x08, "<HHH", bits, bits, size)
    put(0x10, "<BB", 1, 2)
    put(0x15, "<H", mts)
    put(0x20, "<H", mts if configured is None else configured)
    put(0x58, "<I", extended)
    return structure(17, bytes(body), device, bank)


def write(root: Path, *structures: bytes) -> Path:
    folder = root / "sys/firmware/dmi/tables"
    folder.mkdir(parents=True)
    (folder / "DMI").write_bytes(structure(0, bytes(20), "Vendor", "1.0") + b"".join(structures) + END)
    return root


def test_absence_is_quiet(tmp_path: Path) -> None:
    assert memory_channels(tmp_path) is None


def test_two_modules_of_one_channel_count_once(tmp_path: Path) -> None:
    slots = [memory_device(f"DIMM {slot}", f"P0 CHANNEL {letter}") for letter in "AB" for slot in (0, 1)]
    assert memory_channels(write(tmp_path, *slots)) == (Channel(6000, 64), Channel(6000, 64))


def test_empty_slots_do_not_count(tmp_path: Path) -> None:
    slots = (memory_device("ChannelA-DIMM0", "BANK 0", size=0), memory_device("ChannelB-DIMM0", "BANK 2", mts=3200))
    assert memory_channels(write(tmp_path, *slots)) == (Channel(3200, 64),)


def test_configured_speed_counts_before_the_modules_own(tmp_path: Path) -> None:
    slots = (
        memory_device("DIMM_A1", "BANK 0", mts=6000, configured=4800),
        memory_device("DIMM_B1", "BANK 1", mts=6000, configured=0),
        memory_device("DIMM_C1", "BANK 2", configured=0xFFFF, extended=70_000),
    )
    channels = memory_channels(write(tmp_path, *slots))
    assert channels
    assert [channel.mts for channel in channels] == [4800, 6000, 70_000]


def test_narrow_channels_of_soldered_memory(tmp_path: Path) -> None:
    names = [f"Controller{controller}-Channel{letter}" for controller in "01" for letter in "ABCD"]
    slots = [memory_device(name, f"BANK {bank}", mts=7467, bits=16) for bank, name in enumerate(names)]
    assert memory_channels(write(tmp_path, *slots)) == (Channel(7467, 16),) * 8


def test_slots_that_are_only_numbered_tell_nothing(tmp_path: Path) -> None:
    assert memory_channels(write(tmp_path, memory_device("A1", "Not Specified"))) is None


def test_speed_that_is_unknown_tells_nothing(tmp_path: Path) -> None:
    assert memory_channels(write(tmp_path, memory_device("DIMM_A1", "BANK 0", mts=0))) is None


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("DIMM 0", "P0 CHANNEL A"), ("DIMM 1", "P0 CHANNEL A"), True),
        (("DIMM 0", "P0 CHANNEL A"), ("DIMM 0", "P1 CHANNEL A"), False),
        (("ChannelA-DIMM0", "BANK 0"), ("ChannelA-DIMM1", "BANK 1"), True),
        (("Controller0-DIMMA1", "BANK 0"), ("Controller1-DIMMB1", "BANK 0"), False),
        (("P1-DIMMA1", "P0_Node0_Channel0_Dimm0"), ("P1-DIMMA2", "P0_Node0_Channel0_Dimm1"), True),
        (("P1-DIMMA1", "P0_Node0_Channel0_Dimm0"), ("P1-DIMMB1", "P0_Node0_Channel1_Dimm0"), False),
        (("CPU1_DIMM_C1", "NODE 1"), ("CPU2_DIMM_C1", "NODE 2"), False),
    ],
)
def test_channel_names(first: tuple[str, str], second: tuple[str, str], *, same: bool) -> None:
    assert channel_key(*first) is not None
    assert (channel_key(*first) == channel_key(*second)) is same


@pytest.mark.parametrize(
    "names",
    [("PROC 1 DIMM 3", ""), ("A1", "Not Specified"), ("", ""), ("Top - on board", ""), ("DIMM_P0_A0", "BANK 0")],
)
def test_names_without_a_channel(names: tuple[str, str]) -> None:
    assert channel_key(*names) is None


@given(st.binary(max_size=400), st.integers(0, 200))
def test_damaged_tables_end_quietly(noise: bytes, cut: int) -> None:
    table = memory_device("DIMM_A1", "BANK 0") + noise
    assert len(list(modules(table))) >= 1
    list(modules(table[:cut]))
    list(modules(noise))
