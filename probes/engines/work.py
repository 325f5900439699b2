"""Whether a process works, told by the CPU time it uses: that asks the engine nothing."""

import psutil

TICKS_S = 0.02
"""Seconds of CPU time that count as work: two ticks of the kernel's clock; answering one GET takes far less."""


class Work:
    """Watches the CPU time of one process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._used: float | None = None

    def went_on(self) -> bool:
        """Whether it worked since the last call; True when that cannot be told."""
        try:
            times = psutil.Process(self._pid).cpu_times()
        except psutil.Error:
            return True
        used, before = times.user + times.system, self._used
        self._used = used
        return before is None or used - before >= TICKS_S
