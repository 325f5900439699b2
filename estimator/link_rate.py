"""How fast two devices of a kind exchange data: what the wire does on paper, each way."""

from ..probes.sample import Device

NVLINK = ((10.0, 900e9), (9.0, 450e9), (8.0, 300e9), (7.0, 150e9))
"""By compute capability: bytes a second each way of NVLink 5, 4, 3 and 2 (NVIDIA's architecture white papers)."""
PCIE = ((12.0, 64e9), (10.0, 64e9), (9.0, 64e9), (8.0, 32e9), (0.0, 16e9))
"""By compute capability: bytes a second each way of 16 lanes of PCIe 5.0, 4.0 and 3.0."""
USUAL = 32e9


def link(device: Device) -> tuple[str, float]:
    """Kind of the link between such devices, and bytes a second each way.

    Data-centre modules ("SXM") have NVLink; cards are taken to have none, as consumer cards of today do not.
    """
    try:
        capability = float(device.architecture or "")
    except ValueError:
        return "PCIe", USUAL
    wired = device.memory_type == "HBM" and "PCIe" not in device.name
    steps = NVLINK if wired else PCIE
    return "NVLink" if wired else "PCIe", next((rate for least, rate in steps if capability >= least), USUAL)
