"""Peaks of NVIDIA GPUs against the figures of their data sheets."""

import pytest
from llmtop.probes.hardware.nvidia.rates import memory_type, peak_bandwidth, peak_compute


@pytest.mark.parametrize(
    ("card", "clock_mhz", "bus_bits", "gbs"),
    [
        ("GTX 1080 Ti, GDDR5X", 5505, 352, 484.4),
        ("GTX 1070, GDDR5", 4004, 256, 256.3),
        ("Tesla T4, GDDR6", 5001, 256, 320),
        ("RTX 3090, GDDR6X", 9751, 384, 936.2),
        ("RTX 4090, GDDR6X", 10501, 384, 1008),
        ("RTX 5090, GDDR7", 14001, 512, 1792),
        ("V100 SXM2, HBM2", 877, 4096, 898),
        ("A100 40 GB, HBM2", 1215, 5120, 1555),
        ("A100 80 GB, HBM2e", 1593, 5120, 2039),
        ("H100 SXM, HBM3", 2619, 5120, 3352),
    ],
)
def test_bandwidth(card: str, clock_mhz: int, bus_bits: int, gbs: float) -> None:
    bandwidth = peak_bandwidth(clock_mhz, bus_bits)
    assert bandwidth.peak == pytest.approx(gbs, rel=1e-3)
    assert ("HBM" in card) == (memory_type(bus_bits) == "HBM")


@pytest.mark.parametrize(
    ("architecture", "cores", "boost_mhz", "fp32", "fp16", "int8"),
    [
        ("6.0", 3584, 1328, 9.53, 19.1, None),
        ("6.1", 3840, 1531, 11.76, None, 47.0),
        ("7.0", 5120, 1530, 15.67, 125.3, 62.7),
        ("7.5", 2560, 1590, 8.14, 65.1, 130.3),
        ("7.5", 1536, 1770, 5.44, 10.9, 21.7),
        ("8.0", 6912, 1410, 19.5, 312, 624),
        ("8.6", 10496, 1695, 35.58, 142.3, 284.7),
        ("8.9", 16384, 2520, 82.6, 330.3, 660.6),
        ("9.0", 16896, 1830, 61.8, 989, 1979),
        ("12.0", 21760, 2407, 104.8, 419, 838),
    ],
)
def test_compute_at_the_boost_clock_of_the_data_sheet(
    *,
    architecture: str,
    cores: int,
    boost_mhz: int,
    fp32: float,
    fp16: float | None,
    int8: float | None,
) -> None:
    compute = peak_compute(architecture, cores, boost_mhz)
    assert compute.fp32 == pytest.approx(fp32, rel=5e-3)
    assert compute.fp16 == (pytest.approx(fp16, rel=5e-3) if fp16 else None)
    assert compute.int8 == (pytest.approx(int8, rel=5e-3) if int8 else None)


@pytest.mark.parametrize(
    ("architecture", "cores", "clock"), [(None, 1, 1), ("99.0", 1, 1), ("8.9", None, 1), ("8.9", 1, None)]
)
def test_unknown_is_unknown(architecture: str | None, cores: int | None, clock: int | None) -> None:
    compute = peak_compute(architecture, cores, clock)
    assert (compute.fp32, compute.fp16, compute.int8) == (None, None, None)
    assert compute.basis
    assert peak_bandwidth(None, 384).peak is None
    assert memory_type(None) is None
