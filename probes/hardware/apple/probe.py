"""The chip of a Mac with Apple silicon."""

import platform
import sys
from typing import TYPE_CHECKING

from ...sample import Devices
from ..cards import PATIENCE_S, Cards
from .command import Run, run
from .sysctl import read_chip

if TYPE_CHECKING:
    from .chip import AppleChip


class AppleProbe:
    """Reads the one chip that a Mac has. Its power is that of the whole chip: that of its CPU is in it."""

    name = "apple"

    def __init__(self, *, period: float = 1.0, chip: "AppleChip | None" = None, patience_s: float = PATIENCE_S) -> None:
        from .chip import AppleChip  # noqa: PLC0415 - only a Mac pays for it

        self.period = period
        self._cards = Cards([chip or AppleChip()], patience_s=patience_s)

    @classmethod
    def detect(cls, system: str = sys.platform, machine: str | None = None, run: Run = run) -> "list[AppleProbe]":
        """Empty but on Apple silicon, also where Rosetta translates this process and calls the machine "x86_64"."""
        if system != "darwin":
            return []
        machine = machine or platform.machine()
        return [cls()] if machine == "arm64" or read_chip(run).arm else []

    def read(self) -> Devices:
        """One reading. A command of macOS that hangs keeps nobody waiting for longer than the patience."""
        return Devices(devices=self._cards.read())
