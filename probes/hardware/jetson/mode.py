"""The power mode of a Jetson: what holds its power and its clocks down.

`/var/lib/nvpmodel/status` is the mode as "pmode:0002", with further words behind it. `/etc/nvpmodel.conf` lists the
modes: `< POWER_MODEL ID=2 NAME=MODE_30W >`, below it a line a knob, as `EMC MAX_FREQ 2133000000` in Hz, which is no cap
from 0 downwards, and at last `< PM_CONFIG DEFAULT=2 >` (its header tells the format; NVIDIA Jetson Linux Developer
Guide, "Supported Modes and Power Efficiency"). The watts stand in the names only; MAXN has none, and no limit.
"""

import re
from pathlib import Path

from msgspec import Struct

from ...sample import PowerLimit
from ..files import ROOT, read_text

_MODEL = re.compile(r"<\s*POWER_MODEL\s+ID=(\d{1,4})\s+NAME=(\S+?)\s*>")
_DEFAULT = re.compile(r"<\s*PM_CONFIG\s+DEFAULT=(\d{1,4})\b")
_EMC = re.compile(r"EMC\s+MAX_FREQ\s+(-?\d{1,12})\b")
_WATTS = re.compile(r"(?:^|_)(\d{1,4})W(?:_|$)")
_STATUS = re.compile(r"pmode:(\d{1,4})\b")


class Mode(Struct, frozen=True, kw_only=True):
    """One mode of the list."""

    number: int
    name: str
    memory_cap_mhz: float | None = None
    """None: as fast as it can."""

    @property
    def words(self) -> str:
        """As people call it: "15W", "MAXN"."""
        return self.name.removeprefix("MODE_").replace("_", " ")

    @property
    def power_w(self) -> float | None:
        """None where nothing is limited."""
        watts = _WATTS.search(self.name)
        return float(watts[1]) if watts else None


class JetsonMode:
    """Reads the list once, and each time the mode."""

    def __init__(self, root: Path = ROOT) -> None:
        self._status = root / "var/lib/nvpmodel/status"
        text = read_text(root / "etc/nvpmodel.conf") or ""
        self._modes = {mode.number: mode for mode in _modes(text)}
        default = _DEFAULT.search(text)
        self._default = self._modes.get(int(default[1])) if default else None

    def read(self) -> Mode | None:
        """The mode that was chosen last; the default one where none was."""
        text = read_text(self._status)
        if text is None:
            return self._default
        number = _STATUS.search(text)
        return self._modes.get(int(number[1])) if number else None

    def limit(self, mode: Mode) -> PowerLimit:
        """What it means for the power; the range is that of all modes."""
        watts = [each.power_w for each in self._modes.values() if each.power_w is not None]
        return PowerLimit(
            name=f"module, mode {mode.words}",
            value_w=mode.power_w,
            min_w=min(watts, default=None),
            max_w=max(watts, default=None),
            default_w=self._default.power_w if self._default else None,
            where="nvpmodel",
        )

    def wider(self, mode: Mode) -> Mode | None:
        """The mode with the fastest memory, if it is faster than that of `mode`."""
        most = float("inf")
        best = max(self._modes.values(), key=lambda each: each.memory_cap_mhz or most, default=mode)
        return best if (best.memory_cap_mhz or most) > (mode.memory_cap_mhz or most) else None


def _modes(text: str) -> list[Mode]:
    found: list[Mode] = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if begun := _MODEL.search(line):
            found.append(Mode(number=int(begun[1]), name=begun[2]))
        elif found and (cap := _EMC.match(line.strip())):
            hertz = int(cap[1])
            found[-1] = Mode(
                number=found[-1].number, name=found[-1].name, memory_cap_mhz=hertz / 1e6 if hertz > 0 else None
            )
    return found
