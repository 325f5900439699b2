"""Programs that tell the power of an Apple chip: macmon, which needs no root, and powermetrics of macOS, which does.

`macmon pipe` (version 0.7 and later) writes a line of JSON an interval: watts as `cpu_power`, `gpu_power`, `ane_power`,
`ram_power`; `gpu_active_ratio` and `gpu_freq_mhz` since 0.8, before `gpu_usage` with the clock first; `temp`.
`powermetrics --format plist` writes a property list an interval, a NUL between two: milliwatts in `processor` as
`cpu_power`, `gpu_power`, `ane_power` and their sum `combined_power`, which is without the memory; in `gpu` the share of
time in which it rested as `idle_ratio`, and `freq_hz`, which is in MHz on Apple silicon ("338" in recorded output).
"""

import os
from collections.abc import Callable, Sequence
from typing import cast

import msgspec

from .draw import AppleDraw
from .plist import dictionary, read_plist
from .stream import Stream

_PATIENCE_S = 10.0
"""Ten missed documents: the program hangs, or the machine slept."""
_MEGA = 1e6
"""More than a clock in MHz can be: the value is in Hz."""

_NEVER = 1e10
"""More than anything here can be, also in Hz."""
_MOST_W, _MOST_MHZ, _HOTTEST_C = 1_000.0, 10_000.0, 200.0
"""More than any of these chips does: nonsense."""

Open = Callable[[Sequence[str], bytes], Stream]
Translate = Callable[[bytes], AppleDraw]


class AppleTold:
    """What a program that runs beside says."""

    def __init__(self, command: Sequence[str] | None, end: bytes, translate: Translate, start: Open = Stream) -> None:
        """`command` None stands for a program that is not there, or may not be used."""
        self.problem: str | None = "" if command is None else None
        self._translate = translate
        self._stream: Stream | None = None
        self._name = os.path.basename(command[0]) if command else ""  # noqa: PTH119 - a word, no file is touched
        if command is not None:
            try:
                self._stream = start(command, end)
            except OSError as trouble:
                self.problem = f"{self._name} does not start ({trouble.strerror or trouble})"

    def read(self) -> AppleDraw:
        """What it said last; nothing before its first word, which comes after an interval."""
        stream = self._stream
        if stream is None:
            return AppleDraw()
        if stream.ended or stream.silent_s > _PATIENCE_S:
            self.problem = f"{self._name} {'has ended' if stream.ended else 'does not answer'}"
            self.close()
            return AppleDraw()
        document = stream.newest()
        return AppleDraw() if document is None else self._translate(document)

    def close(self) -> None:
        """Ends the program."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def which(name: str) -> str | None:
    """The full path of a program; None where there is none."""
    from shutil import which as found  # noqa: PLC0415 - a millisecond that no other machine needs to spend

    return found(name)


def macmon(find: Callable[[str], str | None] = which, start: Open = Stream) -> AppleTold:
    """Starts macmon, if somebody installed it."""
    found = find("macmon") or find("/opt/homebrew/bin/macmon")
    return AppleTold([found, "pipe", "--interval", "1000"] if found else None, b"\n", from_macmon, start)


def powermetrics(user_id: Callable[[], int] = os.geteuid, start: Open = Stream) -> AppleTold:
    """Starts powermetrics for root only, who is not asked for a password."""
    command = ["/usr/bin/powermetrics", "--samplers", "cpu_power,gpu_power", "--sample-rate", "1000"]
    allowed = [*command, "--buffer-size", "1", "--format", "plist"] if user_id() == 0 else None
    return AppleTold(allowed, b"</plist>", from_powermetrics, start)


def from_macmon(line: bytes) -> AppleDraw:
    """One line; nothing where it is damaged."""
    try:
        told = dictionary(msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return AppleDraw()
    parts = [_positive(told.get(key)) for key in ("cpu_power", "gpu_power", "ane_power")]
    memory_w = _positive(told.get("ram_power"))
    usage = told.get("gpu_usage")
    older = cast("list[object]", usage)[0] if isinstance(usage, list) and usage else None
    busy = _positive(told.get("gpu_active_ratio"))
    return AppleDraw(
        power_w=_up_to(_MOST_W, _sum([*parts, memory_w or 0.0])),
        utilization=busy if busy is not None and busy <= 1 else None,
        clock_mhz=_up_to(_MOST_MHZ, _positive(told.get("gpu_freq_mhz", older))) or None,
        temperature_c=_up_to(_HOTTEST_C, _positive(dictionary(told.get("temp")).get("gpu_temp_avg"))) or None,
        memory=memory_w is not None,
    )


def from_powermetrics(document: bytes) -> AppleDraw:
    """One property list; nothing where it is damaged."""
    told = dictionary(read_plist(document.lstrip(b"\0\r\n\t ")))
    processor, gpu = dictionary(told.get("processor")), dictionary(told.get("gpu"))
    total_mw = _positive(processor.get("combined_power"))
    if total_mw is None:
        parts = [_positive(processor.get(key)) for key in ("cpu_power", "gpu_power")]
        total_mw = _sum([*parts, _positive(processor.get("ane_power")) or 0.0])
    idle, clock = _positive(gpu.get("idle_ratio")), _positive(gpu.get("freq_hz"))
    return AppleDraw(
        power_w=None if total_mw is None else _up_to(_MOST_W, total_mw / 1000),
        utilization=1 - idle if idle is not None and idle <= 1 else None,
        clock_mhz=None if not clock else clock / _MEGA if clock >= _MEGA else clock,
        memory=False,
    )


def _positive(value: object) -> float | None:
    """A number that is no less than 0 and can be one of watts or degrees; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _NEVER else None


def _up_to(most: float, value: float | None) -> float | None:
    return value if value is not None and value <= most else None


def _sum(parts: Sequence[float | None]) -> float | None:
    """None as soon as one is missing."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
