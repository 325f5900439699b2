"""The firmware's table: real ones of three generations, and each version with numbers put where its fields stand."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.probes.hardware.amd.metrics import AmdMetrics, amd_metrics
from llmtop.probes.hardware.amd.throttle import AmdThrottle

from .amd_machine import AmdMachine


def made(form: int, content: int, size: int, *fields: tuple[str, int, int]) -> bytes:
    """A table in which everything else is not filled in."""
    table = bytearray(b"\xff" * size)
    struct.pack_into("<HBB", table, 0, size, form, content)
    for kind, offset, number in fields:
        struct.pack_into(kind, table, offset, number)
    return bytes(table)


def test_real_tables(tmp_path: Path) -> None:
    navi21 = (AmdMachine(tmp_path / "1", "rx6900xt").card / "gpu_metrics").read_bytes()
    assert amd_metrics(navi21, "gfx1030") == AmdMetrics(apu=False, throttling=0)
    phoenix = (AmdMachine(tmp_path / "2", "phoenix").card / "gpu_metrics").read_bytes()
    assert amd_metrics(phoenix, "gfx1103") == AmdMetrics(apu=True)
    strix = amd_metrics((AmdMachine(tmp_path / "3", "strixpoint").card / "gpu_metrics").read_bytes(), "gfx1150")
    assert strix is not None and strix.apu
    told = {"prochot": 28, "spl": 1868, "fppt": 92382, "sppt": 257, "core": 1795, "graphics": 0, "soc": 0}
    assert strix.counts == told


@pytest.mark.parametrize(
    ("content", "size", "energy"), [(4, 344, 24), (5, 416, 88), (6, 600, 16), (7, 2000, 24), (8, 3872, 24)]
)
def test_energy_of_accelerators_counts_in_parts_of_a_joule(content: int, size: int, energy: int) -> None:
    told = amd_metrics(made(1, content, size, ("<Q", energy, 123 << 16)), "gfx942")
    assert told is not None and told.energy_j == 123.0


def test_energy_whose_unit_is_not_documented_is_not_told() -> None:
    table = made(1, 3, 120, ("<Q", 24, 1_000_000))
    for target, joules in (("gfx90a", 1_000_000 / 65536), ("gfx1030", None), (None, None)):
        told = amd_metrics(table, target)
        assert told is not None and told.energy_j == joules


def test_newest_table_tells_peak_and_links() -> None:
    fields = (("<Q", 16, 5300), ("<H", 72, 16), ("<H", 74, 32))
    told = amd_metrics(made(1, 8, 3872, *fields), "gfx942")
    assert told is not None
    assert (told.bandwidth_gbs, told.link_gbs, told.counts) == (5300, 64.0, {})


def listed(*fields: tuple[int, int, bytes]) -> bytes:
    """Content 9: the number of a field, its type, and its values; the length is in the values."""
    sizes = (1, 1, 2, 2, 4, 4, 8, 8)
    body = b"".join(
        struct.pack("<I", 3 << 24 | kind << 20 | field << 10 | len(values) // sizes[kind]) + values
        for field, kind, values in fields
    )
    return struct.pack("<HBBi", 8 + len(body), 1, 9, len(fields)) + body


def test_table_that_lists_its_fields() -> None:
    table = listed(
        (33, 2, struct.pack("<8H", *[2100] * 8)),
        (6, 6, struct.pack("<Q", 8000)),
        (7, 6, struct.pack("<Q", 77 << 16)),
        (9, 4, struct.pack("<I", 1000)),
        (11, 4, struct.pack("<I", 0xFFFFFFFF)),
        (18, 2, struct.pack("<H", 16)),
        (19, 2, struct.pack("<H", 36)),
    )
    told = amd_metrics(table, "gfx950")
    assert told == AmdMetrics(apu=False, energy_j=77.0, counts={"cycles": 1000}, bandwidth_gbs=8000, link_gbs=72.0)
    assert amd_metrics(table[:-1], "gfx950") is None, "shorter than it says"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_none(table: bytes) -> None:
    amd_metrics(table, "gfx942")
    amd_metrics(struct.pack("<HBB", max(len(table) + 4, 5), 1, 9) + table + b"\0", "gfx942")


@pytest.mark.parametrize(
    ("bit", "words"),
    [
        (0, "power cap"),
        (36, "too hot (hot spot)"),
        (34, "memory too hot"),
        (16, "current limit"),
        (47, "too hot (signal from the board)"),
        (40, "voltage regulators too hot"),
    ],
)
def test_standing_bits_in_words(bit: int, words: str) -> None:
    for table in (made(1, 3, 120, ("<Q", 112, 1 << bit)), made(2, 3, 152, ("<Q", 120, 1 << bit))):
        metrics = amd_metrics(table)
        assert metrics is not None
        assert AmdThrottle().read(metrics) == (words,)


def test_counts_speak_when_they_have_grown() -> None:
    """Of 1000 cycles since, 40 at the power limit are too few to speak of; of 1000 more, 60 are not."""
    throttle = AmdThrottle()

    def told(cycles: int, ppt: int, hot: int) -> tuple[str, ...]:
        fields = (("<I", 32, cycles), ("<I", 40, ppt), ("<I", 52, hot), ("<I", 36, 0), ("<I", 44, 0), ("<I", 48, 0))
        metrics = amd_metrics(made(1, 6, 600, *fields), "gfx942")
        assert metrics is not None
        return throttle.read(metrics)

    assert told(1_000, 500, 0) == ()
    assert told(2_000, 540, 0) == ()
    assert told(3_000, 600, 0) == ("power cap",)
    assert told(4_000, 600, 900) == ("memory too hot",)
    assert told(10, 0, 0) == (), "begun anew"


def test_apu_counts_have_no_cycles(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "strixhalo")
    probe = machine.probe()
    assert probe.read().devices[0].throttle_reasons == ()
    machine.table(sppt=("<I", 240, 300))
    machine.now += 1
    assert probe.read().devices[0].throttle_reasons == ("power cap",)
    machine.table(sppt=("<I", 240, 400))
    machine.put("@/gpu_busy_percent", "0")
    machine.now += 1
    assert probe.read().devices[0].throttle_reasons == (), "nothing runs that could be held down"


def test_idle_card_whose_bits_stand_is_not_accused(tmp_path: Path) -> None:
    machine = AmdMachine(tmp_path, "rx7600s")
    machine.put("@/power/runtime_status", "active")
    assert machine.read().throttle_reasons == ()
    machine.put("@/gpu_busy_percent", "90")
    assert machine.read().throttle_reasons == ("too hot (hot spot)",)
