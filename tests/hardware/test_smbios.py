"""SMBIOS tables built after DMTF DSP0134, section 7.18 (Memory Device, type 17)."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.dimms.channels import channel_key, named_channels, poweredge_key
from llmtop.probes.hardware.dimms.slot import MemorySlot
from llmtop.probes.hardware.dimms.smbios import corrects_errors, processor_version, slots

from .memory_tables import END, memory_device, structure


def only(table: bytes) -> MemorySlot:
    """The one slot of a table."""
    (slot,) = slots(table)
    return slot


@pytest.mark.parametrize(
    ("size", "extended", "size_bytes"),
    [
        (0, 0, 0),
        (0xFFFF, 0, None),
        (0x4000, 0, 16 << 30),
        (0x8200, 0, 512 << 10),
        (0x7FFF, 0x20000, 128 << 30),
    ],
)
def test_sizes(size: int, extended: int, size_bytes: int | None) -> None:
    slot = only(memory_device("A", "B", size=size, extended_size=extended))
    assert slot.size_bytes == size_bytes
    assert slot.empty is (size == 0)


@pytest.mark.parametrize(
    ("rated", "configured", "extended", "mts", "speed"),
    [
        (6000, 4800, 0, 4800, 4800),
        (6000, 0, 0, None, 6000),
        (6000, 0xFFFF, 70_000, 70_000, 70_000),
        (0, 0, 0, None, None),
    ],
)
def test_configured_speed_counts_before_the_modules_own(
    rated: int, configured: int, extended: int, mts: int | None, speed: int | None
) -> None:
    slot = only(memory_device("A", "B", mts=rated, configured=configured, extended=extended))
    assert (slot.mts, slot.speed_mts) == (mts, speed)


@pytest.mark.parametrize(
    ("form", "bits", "width"),
    [(0x09, 64, 64), (0x09, 32, 64), (0x0D, 0, 64), (0x0B, 16, 16), (0x0B, 0, 64), (0x01, 128, 64)],
)
def test_a_module_is_64_bits_wide_and_a_chip_as_wide_as_told(form: int, bits: int, width: int) -> None:
    assert only(memory_device("A", "B", form=form, bits=bits)).width_bits == width


def test_firmware_and_lasting_memory_feed_no_inference() -> None:
    table = b"".join(
        memory_device(name, "B", kind=kind) for name, kind in (("ROM", 0x09), ("PMEM", 0x1F), ("A1", 0x22))
    )
    assert [(slot.device, slot.type) for slot in slots(table)] == [("A1", "DDR5")]


def test_old_tables_are_shorter() -> None:
    body = bytearray(0x15 - 4)
    struct.pack_into("<HHHB", body, 4, 72, 64, 0x1000, 0x09)
    struct.pack_into("<BBB", body, 0x0C, 1, 2, 0x13)
    slot = only(structure(17, bytes(body), "DIMM1", "BANK1") + END)
    assert slot == MemorySlot(device="DIMM1", bank="BANK1", size_bytes=4 << 30, type="DDR2", bits=64)


@pytest.mark.parametrize(
    ("use", "correction", "ecc"), [(3, 3, False), (3, 5, True), (3, 6, True), (3, 2, None), (4, 6, None)]
)
def test_error_correction(use: int, correction: int, *, ecc: bool | None) -> None:
    array = structure(16, bytes([3, use, correction]) + bytes(0x10)) + END
    assert corrects_errors(array) is ecc
    assert corrects_errors(END) is None


def test_processor_version() -> None:
    table = structure(4, bytes(0x0C) + b"\x02" + bytes(0x17), "CPU 1", "Ampere(R) Altra(R) Processor") + END
    assert processor_version(table) == "Ampere(R) Altra(R) Processor"
    assert processor_version(END) is None


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
        (("DIMMC1", "P0_Node0_Channel2_Dimm0"), ("DIMMC2", "P0_Node0_Channel2_Dimm1"), True),
        (("CPU0_A0", ""), ("CPU0_A1", ""), True),
        (("CPU0_A0", ""), ("CPU1_A0", ""), False),
    ],
)
def test_channel_names(first: tuple[str, str], second: tuple[str, str], *, same: bool) -> None:
    one, other = (channel_key(MemorySlot(device=device, bank=bank)) for device, bank in (first, second))
    assert one is not None
    assert (one == other) is same


@pytest.mark.parametrize(
    "names",
    [("PROC 1 DIMM 3", ""), ("A1", "Not Specified"), ("", ""), ("Top - on board", ""), ("DIMM_P0_A0", "BANK 0")],
)
def test_names_without_a_channel(names: tuple[str, str]) -> None:
    assert channel_key(MemorySlot(device=names[0], bank=names[1])) is None


def test_poweredge_counts_the_first_slots_of_all_channels_first() -> None:
    key = poweredge_key(6)
    assert key(MemorySlot(device="A1")) == key(MemorySlot(device="A7"))
    assert key(MemorySlot(device="A1")) != key(MemorySlot(device="A2"))
    assert key(MemorySlot(device="A1")) != key(MemorySlot(device="B1"))
    assert key(MemorySlot(device="PMEM 3")) is None


def test_a_populated_slot_without_a_channel_spoils_all_and_an_empty_one_nothing() -> None:
    named = MemorySlot(device="DIMM_A1", size_bytes=1 << 34, mts=4800)
    nameless = MemorySlot(device="Top", size_bytes=0)
    channels = named_channels([named, nameless], channel_key)
    assert channels
    assert [(channel.mts, channel.bits) for channel in channels] == [(4800, 64)]
    assert named_channels([named, MemorySlot(device="Top", size_bytes=1 << 34)], channel_key) is None


def test_a_channel_runs_as_its_slowest_module() -> None:
    modules = [
        MemorySlot(device="DIMM_A1", size_bytes=1, mts=4800),
        MemorySlot(device="DIMM_A2", size_bytes=1, mts=4400),
    ]
    channels = named_channels(modules, channel_key)
    assert channels
    assert channels[0].mts == 4400
    channels = named_channels([*modules, MemorySlot(device="DIMM_A3", size_bytes=1)], channel_key)
    assert channels
    assert channels[0].mts is None


@given(st.binary(max_size=400), st.integers(0, 200))
def test_damaged_tables_end_quietly(noise: bytes, cut: int) -> None:
    table = memory_device("DIMM_A1", "BANK 0") + noise
    assert len(list(slots(table))) >= 1
    list(slots(table[:cut]))
    list(slots(noise))
