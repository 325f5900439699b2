"""Machines as people describe them; sizes and bandwidths by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.catalogue.machine_words import machine
from llmtop.estimator.catalogue.names import UnknownName

GIB = 1 << 30
GPU, CPU = "gpu", "cpu"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RTX 4090", [("RTX 4090", GPU, 24, 1008)]),
        ("2x RTX 3090", [("RTX 3090", GPU, 24, 936)] * 2),
        ("M4 Max 40c 64GB", [("Apple M4 Max 40c", "apple", 64, 546)]),
        ("EPYC 9354 12xDDR5-4800 384GB", [("EPYC 9354", CPU, 384, 461)]),
        ("2 x EPYC 9354 24xDDR5-4800 768GB", [("2 x EPYC 9354", CPU, 768, 922)]),
        ("RTX 3060 12GB + 32GB RAM", [("RTX 3060 12GB", GPU, 12, 360), ("CPU", CPU, 32, 51)]),
        ("a 12 GB 3060 and 32 GB RAM", [("RTX 3060 12GB", GPU, 12, 360), ("CPU", CPU, 32, 51)]),
        ("7900 XTX, dual-channel DDR5-6000 64GB", [("RX 7900 XTX", GPU, 24, 960), ("CPU", CPU, 64, 96)]),
        ("B580 + 2xDDR4-3200 32GB", [("Arc B580", GPU, 12, 456), ("CPU", CPU, 32, 51)]),
        ("Strix Halo 128GB", [("Strix Halo Radeon 8060S", GPU, 128, 256)]),
        ("3060 12GB + Ryzen 9 7950X 64GB", [("RTX 3060 12GB", GPU, 12, 360), ("Ryzen 9 7950X", CPU, 64, 83)]),
        ("RTX 4090 64GB RAM", [("RTX 4090", GPU, 24, 1008), ("CPU", CPU, 64, 51)]),
        ("2x RTX 3090 64GB RAM", [("RTX 3090", GPU, 24, 936)] * 2 + [("CPU", CPU, 64, 51)]),
        ("3060 12GB VRAM with 32GB RAM", [("RTX 3060 12GB", GPU, 12, 360), ("CPU", CPU, 32, 51)]),
        ("RTX 3090 and 2x16GB DDR5", [("RTX 3090", GPU, 24, 936), ("CPU", CPU, 32, 77)]),
        ("4 x 32GB DDR5-5600 RAM", [("CPU", CPU, 128, 90)]),
        ("EPYC 9354 384GB 12xDDR5-4800", [("EPYC 9354", CPU, 384, 461)]),
        ("Ryzen 9 7950X DDR5-6000 64GB", [("Ryzen 9 7950X", CPU, 64, 96)]),
        ("RTX 4090 + Ryzen 9 7950X + 64GB", [("RTX 4090", GPU, 24, 1008), ("Ryzen 9 7950X", CPU, 64, 83)]),
        ("Ryzen 9 7950X, 64GB dual-channel DDR5-6000", [("Ryzen 9 7950X", CPU, 64, 96)]),
    ],
)
def test_what_people_write(text: str, found: list[tuple[str, str, int, int]]) -> None:
    devices = machine(text)
    told = [
        (each.name, each.kind, (each.memory_total_bytes or 0) // GIB, round(each.bandwidth_gbs.peak or 0))
        for each in devices
    ]
    assert told == found
    assert len({each.id for each in devices}) == len(devices)


def test_two_sockets_are_one_device_of_twice_the_cores() -> None:
    (one,), (two,) = machine("EPYC 9354"), machine("2x EPYC 9354")
    assert two.cores == 2 * (one.cores or 0)
    assert two.bandwidth_gbs.peak == 2 * (one.bandwidth_gbs.peak or 0)
    assert two.compute_tflops.fp32 == 2 * (one.compute_tflops.fp32 or 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no hardware is named"),
        ("RTX 4090 384GB", r"no RTX 4090 with 384 GB \(24\); for RAM write: RTX 4090 \+ 384GB RAM"),
        ("RTX 3060 32GB", r"no RTX 3060 with 32 GB \(8, 12\); for RAM write: RTX 3060 12GB \+ 32GB RAM"),
        ("3060 12GB 32GB", r"no RTX 3060 with 32 GB \(8, 12\)"),
        ("RTX 4909 32GB", 'unknown hardware "RTX 4909 32GB"; nearest: RTX 4090'),
        ("A100 40GB", "may be A100 PCIe 40GB, A100 SXM 40GB"),
        ("M4 Max 40c 999GB", "no Apple M4 Max 40c with 999 GB: the most that is sold is 128 GB"),
        ("99x RTX 4090", "1 to 64"),
        ("0x RTX 4090", "1 to 64"),
        ("M4 Max 64GB", "may be Apple M4 Max 32c or Apple M4 Max 40c"),
        ("RTX 3060 + nonsense", "unknown hardware"),
    ],
)
def test_what_is_no_machine_is_said(text: str, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        machine(text)


@given(st.text(max_size=300))
def test_any_text_is_a_machine_or_one_line(text: str) -> None:
    said = ""
    try:
        assert machine(text)
    except UnknownName as unknown:
        said = str(unknown)
    assert len(said.splitlines()) <= 1
