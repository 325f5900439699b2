"""The device catalogue: arithmetic within each row, published figures, and the names that people use."""

import csv
import re

import pytest
from llmtop.estimator.catalogue.devices import ROWS, CatalogueDevice, device, device_names, devices
from llmtop.estimator.catalogue.names import UnknownName

GPUS = [row for row in devices().values() if row.kind in {"gpu", "apu"}]
NVIDIA = [row for row in GPUS if row.vendor == "NVIDIA"]

VENDORS = {"NVIDIA", "AMD", "Intel", "Apple"}
CPU_VENDORS = {"AMD", "Intel", "Ampere", "AWS", "Broadcom", "CIX", "ESWIN", "Qualcomm", "Rockchip"}
ARCHITECTURES = {
    "NVIDIA": r"\d+\.\d",
    "AMD": r"gfx[0-9a-f]{3,4}",
    "Intel": r"Xe1|Xe2|Xe-LP|Xe-LPG|Xe-LPG\+|Xe-HPC|Gaudi [23]",
    "Apple": r"M[1-5]",
}
LANES = {
    "3.7": 192,
    **dict.fromkeys(("6.0", "7.0", "7.2", "7.5", "8.0"), 64),
    **dict.fromkeys(("5.0", "5.2", "6.1", "8.6", "8.7", "8.9", "9.0", "10.0", "10.3", "11.0", "12.0", "12.1"), 128),
}
"""float32 lanes of an SM: CUDA C++ Programming Guide, "Arithmetic Instructions"."""

PUBLISHED = [
    ("RTX 4090", 1008, 82.6, 330.3, 660.6),  # Ada architecture paper
    ("RTX 3090", 936, 35.6, 142, 284),  # GA102 architecture paper
    ("RTX 3080 10GB", 760, 29.8, 119, 238),  # GA102 architecture paper
    ("RTX 2080 Ti", 616, 13.4, 107.6, 215.2),  # Turing architecture paper
    ("RTX 5090", 1792, 104.8, 419, 838),  # RTX Blackwell architecture paper
    ("RTX A6000", 768, 38.7, 154.8, 309.7),  # data sheet
    ("A100 SXM 80GB", 2039, 19.5, 312, 624),  # data sheet
    ("A100 PCIe 40GB", 1555, 19.5, 312, 624),  # data sheet
    ("Tesla V100 SXM2 32GB", 900, 15.7, 125, None),  # data sheet
    ("Tesla T4", 320, 8.1, 65, 130),  # data sheet
    ("Tesla P40", 346, 12, None, 47),  # data sheet
    ("L4", 300, 30.3, 121, 242),  # data sheet, without sparsity
    ("L40S", 864, 91.6, 362, 733),  # data sheet, without sparsity
    ("H100 SXM 80GB", 3350, 67, 989, 1979),  # data sheet, without sparsity
    ("H100 PCIe 80GB", 2039, 51, 756, 1513),  # data sheet, without sparsity
    ("RX 7900 XTX", 960, 61.4, 122.8, 122.8),  # product page
    ("RX 6800 XT", 512, 20.7, 41.5, None),  # product page
    ("RX 9070 XT", 644, 48.7, 195, 389),  # product page
    ("Instinct MI300X", 5300, 163.4, 1307.4, 2614.9),  # data sheet
    ("Instinct MI210", 1638, 22.6, 181, 181),  # data sheet
    ("Arc A770 16GB", 560, 19.7, None, None),  # product page
    ("Arc B580", 456, 13.7, None, None),  # product page
    ("Arc 140V (Lunar Lake 258V)", 136.5, None, None, 64),  # product page
    ("Jetson AGX Orin 64GB", 204.8, 5.3, None, 85),  # data sheet: 170 TOPS with sparsity
    ("DGX Spark GB10", 273, 31, 125, None),  # product page: 1 PFLOPS FP4 with sparsity
    ("Apple M3 Ultra 80c", 819, None, None, None),  # product page
    ("Apple M4 Max 40c", 546, None, None, None),  # product page
    ("EPYC 9654", 460.8, None, None, None),  # product page
    ("EPYC 7763", 204.8, None, None, None),  # product page
    ("Raspberry Pi 5", 17.1, None, None, None),  # LPDDR4X-4267 on 32 bit
]


def test_the_columns_are_the_fields() -> None:
    with ROWS.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == CatalogueDevice.__struct_fields__
    assert {len(row) for row in rows} == {len(header)}
    assert len(rows) == len(devices()) >= 800


def test_a_row_is_whole() -> None:
    for row in devices().values():
        assert row.source, row.name
        assert row.name == " ".join(row.name.split())
        assert row.bandwidth_gbs > 0, row.name
        assert row.memory_class in {"HBM", "GDDR", "LPDDR", "DDR"}, row.name
        assert row.units is None or row.units > 0, row.name
        assert all(re.fullmatch("(10de|1002|8086):[0-9a-f]{4}", pci_id) for pci_id in row.pci_ids), row.name
        assert (row.power_min_w or 0) < (row.power_max_w or 1), row.name


def test_bandwidth_is_clock_times_width() -> None:
    rows = [row for row in devices().values() if row.bus_bits and row.memory_mts]
    for row in rows:
        assert row.bus_bits and row.memory_mts
        assert row.bus_bits / 8 * row.memory_mts / 1000 == pytest.approx(row.bandwidth_gbs, rel=0.015), row.name
    assert len(rows) > 700


def test_most_gpus_give_clock_and_width() -> None:
    assert sum(bool(row.bus_bits and row.memory_mts) for row in GPUS) >= 0.95 * len(GPUS)


def test_makers_and_architectures_are_known_ones() -> None:
    for row in devices().values():
        assert row.vendor in (CPU_VENDORS if row.kind == "cpu" else VENDORS), row.name
        if row.kind != "cpu":
            assert re.fullmatch(ARCHITECTURES[row.vendor], row.architecture or ""), row.name
        assert (row.kind == "apple") == (row.vendor == "Apple"), row.name


@pytest.mark.parametrize(("name", "bandwidth", "fp32", "fp16", "int8"), PUBLISHED)
def test_published_figures(
    name: str, bandwidth: float, fp32: float | None, fp16: float | None, int8: float | None
) -> None:
    row = device(name)
    assert row.bandwidth_gbs == pytest.approx(bandwidth, rel=0.01)
    for stated, published in ((row.fp32_tflops, fp32), (row.fp16_tflops, fp16), (row.int8_tops, int8)):
        if published is not None:
            assert stated == pytest.approx(published, rel=0.025)


def test_rates_of_nvidia_imply_a_clock_that_exists() -> None:
    for row in NVIDIA:
        if row.fp32_tflops and row.units:
            clock_ghz = row.fp32_tflops * 1e3 / (row.units * LANES[row.architecture or ""] * 2)
            assert 0.6 < clock_ghz < 2.9, row.name


def test_rates_of_others_imply_a_clock_that_exists() -> None:
    """128 or, where two float32 instructions issue at once, 256 operations a clock and unit."""
    for row in GPUS:
        if row.vendor != "NVIDIA" and row.fp32_tflops and row.units:
            a_clock = row.fp32_tflops * 1e3 / row.units
            assert 0.6 < a_clock / 256 < 3.2 or 0.6 < a_clock / 128 < 3.2, row.name


def test_rates_of_cpus_imply_a_clock_that_exists() -> None:
    """From 8 operations a clock and core (Cortex-A53) to 64 (AVX-512 with two units)."""
    for row in devices().values():
        if row.kind == "cpu" and row.fp32_tflops and row.units:
            assert 8 * 1.0 < row.fp32_tflops * 1e3 / row.units < 64 * 5.8, row.name


def test_memory_is_in_gibibytes() -> None:
    assert device("RTX 4090").memory_bytes == 24 * 1024**3
    assert device("EPYC 9654").memory_bytes is None


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("RTX A1000", "RTX A1000"),
        ("Tesla M40", "Tesla M40"),
        ("RTX 6000 Ada", "RTX 6000 Ada"),
        ("RTX 4090 Laptop", "RTX 4090 Laptop"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop"),
        ("rtx4090", "RTX 4090"),
        ("RTX 4090 24 GB", "RTX 4090"),
        ("M3 Max 30c", "Apple M3 Max 30c"),
        ("Apple M3 Max 40-core GPU", "Apple M3 Max 40c"),
        ("NVIDIA A100-SXM4-80GB", "A100 SXM 80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 PCIe 80GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM 80GB"),
        ("Tesla V100-SXM2-16GB", "Tesla V100 SXM2 16GB"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTX PRO 6000 Blackwell Max-Q"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 Blackwell"),
        ("NVIDIA GeForce RTX 2070 with Max-Q Design", "RTX 2070 Max-Q"),
        ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
        ("Radeon Pro VII", "Radeon Pro VII"),
        ("AMD Instinct MI300X", "Instinct MI300X"),
        ("Intel(R) Arc(TM) B580 Graphics", "Arc B580"),
        ("Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz", "Core i7-8700K"),
        ("13th Gen Intel(R) Core(TM) i9-13900K", "Core i9-13900K"),
        ("Intel(R) Xeon(R) Platinum 8480+", "Xeon Platinum 8480+"),
        ("AMD EPYC 7763 64-Core Processor", "EPYC 7763"),
        ("AMD Ryzen 7 5800H with Radeon Graphics", "Ryzen 7 5800H"),
        ("AMD Ryzen Threadripper PRO 7995WX 96-Cores", "Threadripper PRO 7995WX"),
        # As published measurements write them.
        ("Minisforum MS-R1 (CIX P1)", "Minisforum MS-R1"),
        ("Ryzen AI 5 340", "Ryzen AI 5 340"),
        ("Radxa Orion O6 - 16GB", "Radxa Orion O6"),
        ("Dell Optiplex 780 (C2Q Q8400)", "Core 2 Quad Q8400"),
        ("DC-ROMA Mainboard II (8-core RISC-V)", "DC-ROMA Mainboard II"),
        ("APU 5800H", "Radeon Vega 8 (DDR4-3200)"),
        ("Radeon Pro 5300M", "Radeon Pro 5300M"),
        ("Ryzen AI 9 HX PRO 370 (DDR5-5600)", "Ryzen AI 9 HX PRO 370 (DDR5-5600)"),
    ],
)
def test_names_that_people_and_drivers_use(asked: str, name: str) -> None:
    assert device(asked).name == name


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("M3 Max", ["Apple M3 Max 30c", "Apple M3 Max 40c"]),
        ("RTX 3080", ["RTX 3080 10GB", "RTX 3080 12GB"]),
        ("A100", ["A100 PCIe 40GB", "A100 SXM 40GB", "A100 PCIe 80GB", "A100 SXM 80GB"]),
        ("A100 40GB", ["A100 PCIe 40GB", "A100 SXM 40GB"]),
        ("M3 Max 64GB", ["Apple M3 Max 30c", "Apple M3 Max 40c"]),
        ("M3 Max 30c 256GB", ["Apple M3 Max 30c"]),
        ("RTX 4060 Ti", ["RTX 4060 Ti 8GB", "RTX 4060 Ti 16GB"]),
        ("RTX 3099", ["RTX 3090"]),
        ("RTX 4090 48GB", ["RTX 4090"]),
        ("A1000", ["RTX A1000"]),
    ],
)
def test_what_is_not_one_device_is_refused(asked: str, offered: list[str]) -> None:
    with pytest.raises(UnknownName) as caught:
        device(asked)
    assert all(name in str(caught.value) for name in offered)


def test_variants_that_differ_in_power_are_two_devices() -> None:
    """The PCIe card has 250 W, the module 400 W."""
    power = {name: device(name).tdp_w for name in ("A100 PCIe 40GB", "NVIDIA A100-SXM4-40GB")}
    assert power == {"A100 PCIe 40GB": 250, "NVIDIA A100-SXM4-40GB": 400}


@pytest.mark.parametrize(
    ("asked", "name", "memory_gb"),
    [
        ("M3 Max 30c 64GB", "Apple M3 Max 30c", 64),
        ("M3Max30c36gb", "Apple M3 Max 30c", 36),
        ("Apple M3 Max (30-core GPU, 36 GB)", "Apple M3 Max 30c", 36),
        ("Strix Halo 64 GiB", "Strix Halo Radeon 8060S", 64),
    ],
)
def test_memory_that_its_owner_chose_may_stand_behind_the_name(asked: str, name: str, memory_gb: float) -> None:
    assert device(name).largest_sold and not device(asked).largest_sold
    assert (device(asked).name, device(asked).memory_gb) == (name, memory_gb)
    assert device(asked).bandwidth_gbs == device(name).bandwidth_gbs


@pytest.mark.parametrize("name", ["RTX 4090", "DGX Spark GB10", "Jetson AGX Orin 64GB", "Instinct MI300A", "EPYC 9654"])
def test_memory_that_comes_with_the_device_is_no_choice(name: str) -> None:
    assert not device(name).largest_sold


def test_every_row_and_alias_is_found_by_its_own_name() -> None:
    for row in devices().values():
        for name in (row.name, row.name.upper(), *row.aliases):
            assert device_names().find(name) == row.name


def test_a_row_becomes_a_device() -> None:
    card = device("RTX 4090").as_device("nvidia0")
    assert (card.id, card.kind, card.vendor, card.memory_type, card.architecture) == (
        "nvidia0",
        "gpu",
        "NVIDIA",
        "GDDR",
        "8.9",
    )
    assert card.memory_total_bytes == 24 << 30
    assert card.bandwidth_gbs.peak == pytest.approx(1008, abs=1)
    assert card.bandwidth_gbs.basis == "catalogue: RTX 4090, 384 bit x 21008 MT/s (" + device("RTX 4090").source + ")"
    assert card.power_limit_default_w == 450
    assert (card.compute_tflops.fp16, card.compute_tflops.int8) == (330.3, 660.6)


def test_unified_memory() -> None:
    strix, mac, cpu = (device(name) for name in ("Radeon 8060S", "M4 Max 40c", "Ryzen 9 5950X"))
    assert strix.unified_memory and mac.unified_memory and not cpu.unified_memory
    assert strix.as_device("gpu0").kind == "gpu"
    assert (mac.as_device("gpu0").kind, mac.as_device("gpu0").cores) == ("apple", 40)
    assert (cpu.as_device("cpu").kind, cpu.as_device("cpu").cores, cpu.as_device("cpu").memory_type) == (
        "cpu",
        16,
        "DDR",
    )
