"""All Intel GPUs of the machine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...sample import Devices
from ..cards import Cards
from ..drm.card import drm_cards
from ..drm.processes import DrmProcesses
from ..files import ROOT
from ..power.energy_counter import steady_time

if TYPE_CHECKING:
    from .query import Ioctl

DRIVERS = ("i915", "xe")


class IntelProbe:
    """Reads them from the files of their kernel driver, discrete and integrated alike."""

    name = "intel"

    def __init__(
        self,
        *,
        period: float = 1.0,
        root: Path = ROOT,
        clock: Callable[[], float] = steady_time,
        ioctl: "Ioctl | None" = None,
    ) -> None:
        """`ioctl` is for tests."""
        from .card import IntelCard  # noqa: PLC0415 - only a machine with one pays for it

        self.period = period
        processes = DrmProcesses(root, clock)
        self._cards = Cards(
            [
                IntelCard(number, card, root, clock=clock, processes=processes, ioctl=ioctl)
                for number, card in enumerate(drm_cards(root, DRIVERS))
            ]
        )

    @classmethod
    def detect(cls, root: Path = ROOT) -> "list[IntelProbe]":
        """Empty where neither driver serves a GPU. Wakes none."""
        return [cls(root=root)] if drm_cards(root, DRIVERS) else []

    def read(self) -> Devices:
        """One reading of each GPU; trouble of one is told with that one and leaves the others alone."""
        return Devices(devices=self._cards.read())
