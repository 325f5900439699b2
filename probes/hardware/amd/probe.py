"""All AMD GPUs of the machine that amdgpu drives."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ...sample import Device, Devices
from ..cards import PATIENCE_S, Cards
from ..drm.card import DrmCard, driver_words, drm_cards
from ..drm.processes import DrmProcesses
from ..files import ROOT, read_number, read_text

if TYPE_CHECKING:
    from .gpu import AmdGpu
    from .kfd import KfdNode

_DRIVERS = ("amdgpu",)
_LOOK_AGAIN_S = 60.0
"""Seconds between two looks for cards that have been plugged in."""


class AmdProbe:
    """Reads them from the files of their driver."""

    name = "amd"

    def __init__(
        self,
        *,
        period: float = 1.0,
        root: Path = ROOT,
        clock: Callable[[], float] = monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.period = period
        self._root = root
        self._clock = clock
        self._patience_s = patience_s
        self._files = DrmProcesses(root, clock)
        self._found: list[DrmCard] = []
        self._cards = Cards([])
        self._due = float("-inf")

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[AmdProbe]":
        """Empty where amdgpu drives no card."""
        return [cls(root=root)] if drm_cards(root, _DRIVERS) else []

    def read(self) -> Devices:
        """One reading of each card; one that hangs, sleeps or is gone is told and delays no other."""
        now = self._clock()
        if now >= self._due:
            self._due = now + _LOOK_AGAIN_S
            self._look()
        return Devices(devices=self._cards.read())

    def _look(self) -> None:
        """Finds the cards, in the order in which ROCm counts them. One that is gone stays until another comes."""
        cards = drm_cards(self._root, _DRIVERS)
        if all(card in self._found for card in cards):
            return
        from .kfd import kfd_nodes  # noqa: PLC0415 - only a machine with a card pays for it
        from .names import amd_names  # noqa: PLC0415

        nodes = kfd_nodes(self._root)
        names = amd_names(self._root)
        places = {node.address: node.number for node in reversed(nodes)}
        self._found = sorted(cards, key=lambda card: places.get(card.pci_address or "", len(places) + 1_000))
        self._cards = Cards(
            [self._gpu(index, card, nodes, names) for index, card in enumerate(self._found)],
            patience_s=self._patience_s,
            clock=self._clock,
        )

    def _gpu(self, index: int, card: DrmCard, nodes: "list[KfdNode]", names: dict[tuple[str, int], str]) -> "AmdGpu":
        from .facts import shaders  # noqa: PLC0415
        from .gpu import AmdGpu  # noqa: PLC0415
        from .names import amd_name  # noqa: PLC0415

        own = [node for node in nodes if node.address == card.pci_address]
        version = read_text(self._root / "sys/module/amdgpu/version")
        base = Device(
            id=f"amd{index}",
            name=amd_name(card, names),
            vendor="AMD",
            kind="gpu",
            memory_total_bytes=read_number(card.folder / "mem_info_vram_total"),
            architecture=own[0].target if own else None,
            cores=shaders(own),
            cache_bytes=own[0].cache_bytes if own else None,
            pci_id=card.pci_id,
            pci_address=card.pci_address,
            driver=driver_words(f"amdgpu {version}" if version else "amdgpu"),
        )
        return AmdGpu(self._root, card, base=base, nodes=own, files=self._files, clock=self._clock)
