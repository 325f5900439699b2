"""The memory of one NVIDIA GPU: its own, or the host's on parts that have none; and whether it corrects errors.

CUDA C++ Best Practices Guide, "Theoretical Bandwidth Calculation": ECC takes 6.25 % of GDDR memory and about 20 % of
its bandwidth, more or less by the pattern of the accesses; HBM keeps the check bits apart, at no cost.
"""

from pathlib import Path
from typing import cast

from ..files import ROOT
from ..host.main_memory import MainMemory
from .nvml import NvmlDevice, member
from .rates import memory_type

_UNIFIED = {"5.3", "6.2", "7.2", "8.7", "10.1", "11.0", "12.1"}
"""Compute capabilities of parts that share the memory of their CPU: Tegra X1 and X2, Xavier, Orin, Thor (10.1 before
CUDA 13, 11.0 since), GB10 (NVIDIA's list of CUDA GPUs). Grace Hopper is 9.0 and has memory of its own."""
_ECC_IN_GDDR = (
    "ECC is on: in GDDR it takes 1/16 of the memory and about a fifth of the bandwidth "
    "(CUDA C++ Best Practices Guide); sudo nvidia-smi -e 0 and a reboot turn it off"
)


class NvidiaMemory:
    """Reads it. On unified memory NVML answers "not supported", so that the host is asked instead."""

    def __init__(self, device: NvmlDevice, architecture: str | None, root: Path = ROOT) -> None:
        self._device = device
        self.unified = architecture in _UNIFIED
        self._main = MainMemory(root) if self.unified else None

    def read(self) -> tuple[int | None, int | None]:
        """Total and used bytes. Used is all that is not free, so the driver's own share is in it.

        Of unified memory the total only: what of it is in use is not all the GPU's.
        """
        if self._main:
            return self._main.read().total_bytes, None
        answer = self._device.ask("nvmlDeviceGetMemoryInfo")
        total = member(answer, "total")
        return (total, member(answer, "used")) if total else (None, None)

    def type(self, bus_bits: int | None) -> str | None:
        """As in `Device.memory_type`; every part with unified memory has LPDDR."""
        return "LPDDR" if self.unified else memory_type(bus_bits)

    def ecc(self) -> bool | None:
        """Whether it corrects errors now; None where it cannot."""
        answer = self._device.ask("nvmlDeviceGetEccMode")
        return bool(cast("list[int]", answer)[0]) if isinstance(answer, list) else None


def ecc_remarks(kind: str | None, *, ecc: bool | None) -> tuple[str, ...]:
    """What error correction costs, where it does."""
    return (_ECC_IN_GDDR,) if ecc and kind == "GDDR" else ()
