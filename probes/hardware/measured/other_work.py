"""What else works on this machine: who would be slowed by a measurement, and who spoils it."""

import os
import time
from collections.abc import Iterator
from typing import cast

import psutil
from msgspec import Struct

_BUSY = ("user", "nice", "system", "irq", "softirq")
"""Fields of `psutil.cpu_times` that count work. On Windows `system` holds interrupts, on Linux `user` the guests."""
_LOOK_S = 0.5
_NOTED, _MANY = 0.1, 0.05


class OtherWork(Struct, frozen=True):
    """Shares of all processors' time, 0-1."""

    share: float
    """That other processes had."""
    stolen: float
    """That a hypervisor gave to other machines; 0 also where it does not say."""


class Watch:
    """Looks at the clocks of the processors from the moment it is made."""

    def __init__(self) -> None:
        self._since = _Clocks.now()

    def seen(self) -> OtherWork | None:
        """What others had since then; None where those clocks cannot be read."""
        before, now = self._since, _Clocks.now()
        if before is None or now is None:
            return None
        total = max(now.total_s - before.total_s, 1e-9)
        others_s = (now.busy_s - before.busy_s) - (now.own_s - before.own_s)
        return OtherWork(_share(others_s / total), _share((now.stolen_s - before.stolen_s) / total))


class _Clocks(Struct, frozen=True):
    """Seconds summed over all processors."""

    busy_s: float
    stolen_s: float
    total_s: float
    own_s: float
    """Of all threads of this process."""

    @classmethod
    def now(cls) -> "_Clocks | None":
        try:
            times = cast("dict[str, float]", psutil.cpu_times()._asdict())
        except OSError:  # Android shows nobody proc/stat
            return None
        own = os.times()
        return cls(
            busy_s=sum(times.get(name, 0.0) for name in _BUSY),
            stolen_s=times.get("steal", 0.0),
            total_s=time.monotonic() * _processors(),
            own_s=own.user + own.system,
        )


def disturbing() -> float:
    """Share of other work from which a measurement is doubted: a tenth, or one processor of a large machine."""
    return min(_NOTED, _heavy() / _processors())


def occupied() -> str | None:
    """One line when others work so hard that a measurement would slow them; None when it may run. Takes half a second.

    Hard means a whole processor, and on large machines one in twenty: an engine that generates takes more.
    """
    before, watch = dict(_spent()), Watch()
    time.sleep(_LOOK_S)
    seen = watch.seen()
    cores = seen.share * _processors() if seen else 0.0
    if cores < _heavy():
        return None
    spent = {process: (used - before.get(process, used)) / _LOOK_S for process, used in _spent()}
    names = [
        f"{_name(process)} (pid {process.pid}) {used:.1f}"
        for process, used in sorted(spent.items(), key=lambda each: -each[1])[:2]
        if used >= 0.1
    ]
    who = f": {', '.join(names)}" if names else ""
    return f"other work takes {cores:.1f} of {_processors()} processors{who}"


def _heavy() -> float:
    """Processors' worth of work that a measurement does not run beside."""
    return max(1.0, _MANY * _processors())


def _spent() -> "Iterator[tuple[psutil.Process, float]]":
    """Seconds that each other process has worked since its start, as far as this user may know."""
    own = os.getpid()
    for process in psutil.process_iter():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        if process.pid != own:
            yield process, times.user + times.system


def _name(process: psutil.Process) -> str:
    try:
        name = process.name()
    except psutil.Error:
        return "a process"
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _processors() -> int:
    return psutil.cpu_count() or 1


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
