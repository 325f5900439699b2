"""What the devices that are tuned do during one stay."""

from collections import deque
from collections.abc import Sequence

from ...probes.sample import Device, Devices
from .meter_energy import Energy

NEW_LIMIT_W = 0.5
"""Watts by which a limit must move to be another one."""
STEADY = 0.02
"""Share by which the draw of the later of the last readings may differ from that of the earlier."""
STEADY_READINGS = 6
LEAST_READINGS = 4
CAP = "power cap"
"""How all probes begin the reason that a power limit is."""


class _Sum:
    """A mean."""

    def __init__(self) -> None:
        self._total, self._count = 0.0, 0

    def add(self, values: Sequence[float | None]) -> None:
        for value in values:
            if value is not None:
                self._total += value
                self._count += 1

    @property
    def mean(self) -> float | None:
        return self._total / self._count if self._count else None


class TunedDevices:
    """Folds their readings."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._now: dict[str, Device] = {}
        self._limits: dict[str, float] = {}
        self._sources: dict[str, str] = {}
        self._energy = {name: Energy() for name in names}
        self._draws: deque[float] = deque(maxlen=STEADY_READINGS)
        self._gone: dict[str, str] = {}
        self._begin_counting()

    def _begin_counting(self) -> None:
        self._sm, self._memory, self._temperature = _Sum(), _Sum(), _Sum()
        self._readings = self._capped = 0
        self._others: dict[str, int] = {}

    @property
    def limits_w(self) -> tuple[float | None, ...]:
        """Their limits, in their order."""
        return tuple(self._limits.get(name) for name in self._names)

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each that is gone, or never was."""
        return tuple(self._gone.values())

    def feed(self, source: str, time: float, reading: Devices, *, hole_s: float) -> bool:
        """Takes one reading of one probe; True when a limit of them is another than before."""
        found = {device.id: device for device in reading.devices if device.id in self._names}
        for name in self._names:
            if name in found:
                self._sources[name] = source
                problem = found[name].problem
                if problem:
                    self._gone[name] = f"{found[name].name} ({name}): {problem}"
                else:
                    self._gone.pop(name, None)
            elif self._sources.get(name) == source:
                self._gone[name] = (
                    f"{self._now[name].name} ({name}) is gone" if name in self._now else f"{name} is gone"
                )
        changed = False
        for name, device in found.items():
            self._now[name] = device
            self._energy[name].add(time, device, hole_s=hole_s)
            limit, before = device.power_limit_w, self._limits.get(name)
            if limit is not None and (before is None or abs(limit - before) > NEW_LIMIT_W):
                self._limits[name] = limit
                changed = changed or before is not None
        if found:
            self._look(tuple(found.values()))
        return changed

    def _look(self, devices: tuple[Device, ...]) -> None:
        if (draw := self.draw_w) is not None:
            self._draws.append(draw)
        self._sm.add([device.sm_clock_mhz for device in devices])
        self._memory.add([device.memory_clock_mhz for device in devices])
        hot = [device.temperature_c for device in devices if device.temperature_c is not None]
        self._temperature.add([max(hot)] if hot else [])
        reasons = {reason for device in devices for reason in device.throttle_reasons}
        self._readings += 1
        self._capped += any(reason.startswith(CAP) for reason in reasons)
        for reason in reasons:
            if not reason.startswith(CAP):
                self._others[reason] = self._others.get(reason, 0) + 1

    def begin(self) -> None:
        """A new stay: what was seen before tells nothing of how steady it is."""
        self._draws.clear()
        self._begin_counting()

    def measure(self, time: float) -> None:
        """The stay has settled: means begin here."""
        self._begin_counting()
        for energy in self._energy.values():
            energy.restart(time)

    @property
    def steady(self) -> bool:
        """Whether the draw moves no more; True where no device tells it."""
        if not self._now or all(device.power_w is None for device in self._now.values()):
            return True
        draws = list(self._draws)
        if len(draws) < LEAST_READINGS:
            return False
        half = len(draws) // 2
        early, late = sum(draws[:half]) / half, sum(draws[half:]) / (len(draws) - half)
        return abs(late - early) <= STEADY * max(early, late)

    @property
    def draw_w(self) -> float | None:
        """The draw of all of them now; None unless all tell it."""
        return _all_of([self._now[name].power_w if name in self._now else None for name in self._names])

    @property
    def power_w(self) -> float | None:
        """The mean draw of all of them since they are measured."""
        return _all_of([energy.power_w for energy in self._energy.values()])

    @property
    def until(self) -> float:
        """The moment up to which the energy of all is known."""
        return min((energy.until for energy in self._energy.values()), default=float("-inf"))

    def joules(self, start: float, end: float) -> float | None:
        """What all of them drew in that time."""
        return _all_of([energy.between(start, end) for energy in self._energy.values()])

    @property
    def sm_clock_mhz(self) -> float | None:
        """Mean over readings and devices."""
        return self._sm.mean

    @property
    def memory_clock_mhz(self) -> float | None:
        """Mean over readings and devices."""
        return self._memory.mean

    @property
    def temperature_c(self) -> float | None:
        """Mean of the hottest."""
        return self._temperature.mean

    @property
    def throttled_share(self) -> float | None:
        """Share of the readings in which a power limit held any of them down; None where no probe would say."""
        tells = self._capped or any(device.kind != "cpu" for device in self._now.values())
        return self._capped / self._readings if self._readings and tells else None

    @property
    def other_throttles(self) -> tuple[str, ...]:
        """What else did, the most frequent first."""
        return tuple(sorted(self._others, key=lambda reason: (-self._others[reason], reason)))


def _all_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
