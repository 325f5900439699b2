"""What this machine is made of: one file a vendor. A new one is a file here and its name in `HARDWARE`."""

from .amd.probe import AmdProbe
from .apple.probe import AppleProbe
from .contract import HardwareProbe
from .cpu.probe import CpuProbe
from .host.probe import HostProbe
from .intel.probe import IntelProbe
from .jetson.probe import JetsonProbe
from .nvidia.probe import NvidiaProbe
from .soc.probe import SocProbe
from .unserved import UnservedProbe

__all__ = [
    "HARDWARE",
    "AmdProbe",
    "AppleProbe",
    "CpuProbe",
    "HardwareProbe",
    "HostProbe",
    "IntelProbe",
    "JetsonProbe",
    "NvidiaProbe",
    "SocProbe",
    "UnservedProbe",
    "detect",
]

HARDWARE: tuple[type[HardwareProbe], ...] = (
    HostProbe,
    NvidiaProbe,
    AmdProbe,
    IntelProbe,
    AppleProbe,
    JetsonProbe,
    SocProbe,
    CpuProbe,
    UnservedProbe,
)
"""The probes, in the order in which people look for them."""


def detect(period: float = 1.0) -> list[HardwareProbe]:
    """The probes that have something to read here, each to be read every `period` seconds."""
    probes = [probe for kind in HARDWARE for probe in kind.detect()]
    for probe in probes:
        probe.period = period
    return probes
