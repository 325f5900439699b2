"""The channels of CPUs by name, against the catalogue, which has its own sources."""

import pytest
from llmtop.estimator.catalogue.devices import CatalogueDevice, devices
from llmtop.probes.hardware.dimms.cpu_channels import cpu_channels

SOLDERED = {"Snapdragon", "Radxa", "Minisforum", "Orange", "Rockchip", "Raspberry", "DC-ROMA", "Graviton", "Core 2"}
"""Their memory is not counted by modules."""


def counted() -> list[CatalogueDevice]:
    rows = [row for row in devices().values() if row.kind == "cpu" and row.bus_bits]
    return [row for row in rows if not any(row.name.startswith(word) for word in SOLDERED) and " x2" not in row.name]


def test_channels_agree_with_the_catalogue() -> None:
    assert len(counted()) > 250
    wrong = {
        row.name: cpu_channels(row.name) for row in counted() if cpu_channels(row.name) != (row.bus_bits or 0) // 64
    }
    assert not wrong


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", 8),
        ("INTEL(R) XEON(R) PLATINUM 8580", 8),
        ("Intel(R) Xeon(R) Platinum 8376H CPU @ 2.60GHz", 6),
        ("Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", 4),
        ("Intel(R) Xeon(R) w9-3495X", 8),
        ("Intel(R) Xeon(R) 6980P", 12),
        ("Intel(R) Xeon(R) 6787P", 8),
        ("Intel(R) Core(TM) i9-10980XE CPU @ 3.00GHz", 4),
        ("Intel(R) N100", 1),
        ("Intel(R) Core(TM) i3-N305", 1),
        ("AMD Ryzen Threadripper PRO 7995WX 96-Cores", 8),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 4),
        ("AMD EPYC 8534P 64-Core Processor", 6),
        ("AMD EPYC", None),
        ("QEMU Virtual CPU version 2.5+", None),
        ("Intel Xeon Processor (Skylake, IBRS)", None),
        ("", None),
        (None, None),
    ],
)
def test_names_as_the_kernel_prints_them(name: str | None, channels: int | None) -> None:
    assert cpu_channels(name) == channels
