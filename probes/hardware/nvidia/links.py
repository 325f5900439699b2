"""How one NVIDIA GPU is linked to the host and to other GPUs."""

from collections.abc import Callable

from ...sample import Fabric, Pcie
from .nvml import NvmlDevice

_PCIE_S = 10.0
"""Seconds between two looks at the link to the host, which slows down when nothing is moved."""
_FABRIC_S = 60.0
_MOST_LINKS = 36
"""NVML_NVLINK_MAX_LINKS."""
_FIELDS = ((90, 0), (91, 0))
"""NVML_FI_DEV_NVLINK_SPEED_MBPS_COMMON, _LINK_COUNT."""
_LINK_GBS = {1: 20.0, 2: 25.0, 3: 25.0, 4: 25.0, 5: 25.0, 6: 25.0, 7: 50.0}
"""By NVML_NVLINK_VERSION_* (1.0, 2.0, 2.2, 3.0, 3.1, 4.0, 5.0), GB/s that one link can carry in one direction.

NVIDIA's whitepapers: P100 4 links and 80 GB/s, V100 6 and 150, A100 12 and 300, H100 18 and 450; Blackwell 18 and 900.
"""
_CUT_DOWN = {4, 5}
"""Versions whose links may run slower: those of GA102 (RTX 3090) do at 14.06 GB/s."""


class NvidiaLinks:
    """Reads them now and then."""

    def __init__(self, device: NvmlDevice, clock: Callable[[], float]) -> None:
        self._device = device
        self._clock = clock
        self._pcie: Pcie | None = None
        self._most: tuple[int | None, int | None] | None = None
        self._fabric: Fabric | None = None
        self._pcie_due = self._fabric_due = 0.0

    def pcie(self) -> Pcie | None:
        """The link to the host; None where the driver tells nothing of it."""
        if self._clock() >= self._pcie_due:
            self._pcie_due = self._clock() + _PCIE_S
            if self._most is None:
                self._most = self._count("GetMaxPcieLinkGeneration"), self._count("GetMaxPcieLinkWidth")
            now = self._count("GetCurrPcieLinkGeneration"), self._count("GetCurrPcieLinkWidth")
            known = any(each is not None for each in (*now, *self._most))
            found = Pcie(generation=now[0], width=now[1], generation_max=self._most[0], width_max=self._most[1])
            self._pcie = found if known else None
        return self._pcie

    def fabric(self) -> Fabric | None:
        """The NVLinks that are up; None where there are none."""
        if self._clock() >= self._fabric_due:
            self._fabric_due = self._clock() + _FABRIC_S
            self._fabric = self._nvlinks()
        return self._fabric

    def _nvlinks(self) -> Fabric | None:
        speed_mbs, count = self._device.fields(_FIELDS)
        up: list[int] = []
        for link in range(_MOST_LINKS if count is None else int(count)):
            state = self._device.number("nvmlDeviceGetNvLinkState", link)
            if state is None:
                break
            if state:
                up.append(link)
        if not up:
            return None
        each = link_gbs(self._device.number("nvmlDeviceGetNvLinkVersion", up[0]), speed_mbs)
        return Fabric(name="NVLink", links=len(up), gbs=None if each is None else each * len(up))

    def _count(self, function: str) -> int | None:
        return self._device.number(f"nvmlDevice{function}") or None


def link_gbs(version: int | None, speed_mbs: float | None) -> float | None:
    """What one link carries in one direction.

    The driver states the rate on the wire, of H100 26.6 GB/s, so what the generation can carry is the most.
    """
    most = _LINK_GBS.get(version or 0)
    if speed_mbs:
        return min(speed_mbs / 1e3, most or speed_mbs / 1e3)
    return None if version in _CUT_DOWN else most
