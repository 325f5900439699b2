"""Low Power Mode, which lowers the clocks of a Mac until somebody turns it off.

`pmset -g` tells it as "lowpowermode 1"; where there is a High Power Mode as well, since macOS 15, as "powermode 1",
2 being the high one.
"""

import re
from collections.abc import Callable

from .command import Run

COMMAND = ("/usr/bin/pmset", "-g")
_PACE_S = 60.0
_MODE = re.compile(r"^\s*(powermode|lowpowermode)\s+(\d+)\s*$", re.MULTILINE)


class PowerMode:
    """Asks once a minute: a process a second would cost more than it tells."""

    def __init__(self, run: Run, clock: Callable[[], float]) -> None:
        self._run = run
        self._clock = clock
        self._due = clock()
        self._low = False

    def read(self) -> bool:
        """Whether Low Power Mode is on, as far as it is known."""
        now = self._clock()
        if now >= self._due:
            self._due = now + _PACE_S
            self._low = low_power(self._run(COMMAND).decode("utf-8", "replace"))
        return self._low


def low_power(text: str) -> bool:
    """The newer word counts where both stand there."""
    modes: dict[str, str] = dict(_MODE.findall(text))
    return modes.get("powermode", modes.get("lowpowermode")) == "1"
