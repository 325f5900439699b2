"""What this machine is made of: one file a vendor. A new one is a file here and its name in `HARDWARE`."""

from .contract import HardwareProbe
from .cpu import CpuProbe
from .host import HostProbe
from .nvidia import NvidiaProbe
from .unserved import UnservedProbe

__all__ = ["HARDWARE", "CpuProbe", "HardwareProbe", "HostProbe", "NvidiaProbe", "UnservedProbe", "detect"]

HARDWARE: tuple[type[HardwareProbe], ...] = (HostProbe, NvidiaProbe, CpuProbe, UnservedProbe)
"""The probes, in the order in which people look for them."""


def detect(period: float = 1.0) -> list[HardwareProbe]:
    """The probes that have something to read here, each to be read every `period` seconds."""
    probes = [probe for kind in HARDWARE for probe in kind.detect()]
    for probe in probes:
        probe.period = period
    return probes
