"""A Mac as others recorded one: tests/data/hardware/apple. It answers the commands and counts them."""

import ctypes
import plistlib
from collections.abc import Sequence
from pathlib import Path

from llmtop.probes.hardware.apple.chip import AppleChip
from llmtop.probes.hardware.apple.draw import AppleDraw
from llmtop.probes.hardware.apple.energy import Monitor
from llmtop.probes.hardware.apple.thermal import ThermalPressure
from llmtop.probes.sample import Device

FOLDER = Path(__file__).parent.parent / "data/hardware/apple"
GIB = 1 << 30


class Mac:
    """Prints what `sysctl`, `ioreg` and `pmset` print; `without` names those that are missing or print nothing."""

    def __init__(self, name: str, *without: str) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.without = set(without)
        self.facts: dict[str, dict[str, str]] = {"sysctl": {}, "ioreg": {}, "statistics": {}}
        for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
            if not line.startswith("#"):
                kind, _, rest = line.partition(" ")
                key, _, value = rest.partition(" = ")
                self.facts[kind][key] = value
        self.power_mode = " standby              1\n powermode            0\n womp                 1\n"

    def clock(self) -> float:
        return self.now

    def run(self, command: Sequence[str]) -> bytes:
        name = command[0].rpartition("/")[2]
        self.asked.append(name)
        if name in self.without:
            return b""
        if name == "sysctl":
            known = ((key, self.facts["sysctl"].get(key)) for key in command[1:])
            return "".join(f"{key}: {value}\n" for key, value in known if value is not None).encode()
        return self.accelerators() if name == "ioreg" else self.power_mode.encode()

    def accelerators(self) -> bytes:
        """As `ioreg -a` prints them: nothing where there is none."""
        entry: dict[str, object] = {key: _value(value) for key, value in self.facts["ioreg"].items()}
        entry["vendor-id"] = bytes.fromhex("6b100000")
        if self.facts["statistics"]:
            entry["PerformanceStatistics"] = {key: int(value) for key, value in self.facts["statistics"].items()}
        return plistlib.dumps([entry])

    def chip(self, monitor: Monitor | None = None, *others: "Told") -> AppleChip:
        """A reader of it; without a monitor the library is not installed."""

        def load() -> Monitor:
            if monitor is None:
                raise ImportError
            return monitor

        macmon, powermetrics = (*others, Told(""), Told(""))[:2]
        return AppleChip(
            run=self.run,
            load=load,
            memory=lambda: (64 * GIB, 24 * GIB),
            clock=self.clock,
            thermal=lambda: ThermalPressure(_nowhere),
            others=(lambda: macmon, lambda: powermetrics),
        )


class Told:
    """A source of power that says what it is given; `problem` "" stands for one that is not there."""

    def __init__(self, problem: str | None = None, draw: AppleDraw | None = None) -> None:
        self.problem = problem
        self.draw = draw or AppleDraw()
        self.closed = 0

    def read(self) -> AppleDraw:
        return self.draw

    def close(self) -> None:
        self.closed += 1


def only(chip: AppleChip) -> Device:
    (device,) = chip.read()
    return device


def _nowhere() -> ctypes.CDLL:
    raise OSError


def _value(text: str) -> object:
    return int(text) if text.lstrip("-").isdigit() else text
