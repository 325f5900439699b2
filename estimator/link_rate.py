"""How fast two devices of a kind exchange data: what the wire does on paper, each way."""

from ..probes.sample import Device

NVLINK = ((10.0, 900e9), (9.0, 450e9), (8.0, 300e9), (7.0, 150e9))
"""By compute capability: bytes a second each way of NVLink 5, 4, 3 and 2 (NVIDIA's architecture white papers)."""
PCIE = ((12.0, 64e9), (10.0, 64e9), (9.0, 64e9), (8.0, 32e9), (0.0, 16e9))
"""By compute capability: bytes a second each way of 16 lanes of PCIe 5.0, 4.0 and 3.0."""
USUAL = 32e9
INFINITY_FABRIC = {"gfx950": 538e9, "gfx942": 448e9, "gfx90a": 300e9}
"""By LLVM target: bytes a second each way of all Infinity Fabric links of a module (AMD's data sheets: 7 links of 76.8,
7 of 64, 6 of 50 GB/s). Older ones are cards, which need a bridge for it."""
FABRIC, PCI = "fabric", "PCIe"


def link(device: Device) -> tuple[str, float]:
    """Kind of the link between such devices, and bytes a second each way.

    Data-centre modules have a fabric of their own (NVLink, Infinity Fabric); cards are taken to have none, as consumer
    cards of today do not.
    """
    if device.vendor == "AMD" and device.architecture in INFINITY_FABRIC:
        return FABRIC, INFINITY_FABRIC[device.architecture]
    try:
        capability = float(device.architecture or "")
    except ValueError:
        return PCI, USUAL
    wired = device.memory_type == "HBM" and "PCIe" not in device.name
    steps = NVLINK if wired else PCIE
    return FABRIC if wired else PCI, next((rate for least, rate in steps if capability >= least), USUAL)
