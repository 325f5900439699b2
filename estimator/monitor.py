"""Samples in, snapshots out. Pure: no thread, no clock of its own."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ..probes.sample import Device, Devices, Engine, Gone, Host, Sample
from .box import Box
from .idle import BUSY_FROM, Idle
from .snapshot import Event, Price, Snapshot
from .trail import Trail
from .watchers import Watchers

if TYPE_CHECKING:
    from .own import Run
    from .track import EngineTrack

EVENTS = 200
_NO_DIGITS = dict.fromkeys(range(ord("0"), ord("9") + 1))
"""Silence that grows longer is no news."""
WINDOW = 2.0
"""Seconds that a rate is taken over at least: short enough to move, long enough to be read."""


class Monitor:
    """Folds the samples of all sources, live or recorded, in the order of their time.

    What is needed for engines and devices is imported when the first one comes, so that a screen can be drawn before.
    """

    def __init__(
        self,
        interval: float = 1.0,
        window: float | None = None,
        runs: "Sequence[Run]" = (),
        price: Price | None = None,
    ) -> None:
        self._runs = list(runs)
        self._interval = interval
        self._window = max(WINDOW, interval) if window is None else window
        self._time = self._wall = 0.0
        self._host: Host | None = None
        self._devices: dict[str, tuple[float, float, Devices]] = {}
        self._engines: dict[str, EngineTrack] = {}
        self._watchers = Watchers()
        self._power: dict[str, Trail] = {}
        self._box = Box(price)
        self._idle: dict[str, Idle] = {}
        self._events: deque[Event] = deque(maxlen=EVENTS)

    def feed(self, sample: Sample) -> None:
        """Takes one sample."""
        self._time = max(self._time, sample.time)
        self._wall = max(self._wall, sample.wall)
        match sample.reading:
            case Host() as host:
                self._host = host
                self._box.add_host(sample.time, sample.period, host)
            case Devices() as devices:
                self._feed_devices(sample, devices)
            case Engine() as engine:
                self._feed_engine(sample, engine)
            case Gone():
                self._engines.pop(sample.source, None)
                self._watchers.drop(sample.source)
                self._devices.pop(sample.source, None)

    def snapshot(self) -> Snapshot:
        """Everything that is known now."""
        devices = self._all_devices()
        tracks = self._engines.values()
        readings = [track.reading for track in tracks]
        return Snapshot(
            time=self._time,
            wall=self._wall,
            host=self._host,
            power=self._box.power(self._time, self._host, devices),
            devices=tuple(devices),
            idle_w={device.id: self._idle[device.id].watts for device in devices},
            session_energy_j={device.id: self._box.spent(device) for device in devices},
            engines=tuple(track.view(self._time, devices, self._runs, readings) for track in tracks),
            events=tuple(self._events),
            notes=tuple(seen.problem for _, _, seen in self._devices.values() if seen.problem),
            decode_trails={track.id: track.trail.values for track in tracks},
            power_trails={name: trail.values for name, trail in self._power.items()},
        )

    def finished_runs(self) -> "list[Run]":
        """Steady stretches of work that have become long enough since the last call; they count from now on."""
        tracks = [track for track in self._engines.values() if track.has_run]
        devices = self._all_devices() if tracks else []
        readings = [track.reading for track in self._engines.values()]
        found = [run for track in tracks if (run := track.finished_run(self._wall, devices, readings))]
        self._runs += found
        return found

    def remember(self, runs: "Sequence[Run]") -> None:
        """Takes runs of earlier days into account."""
        self._runs += runs

    def _feed_engine(self, sample: Sample, engine: Engine) -> None:
        from .link import shares  # noqa: PLC0415
        from .track import EngineTrack, event  # noqa: PLC0415

        source, told = self._watchers.assign(sample, engine)
        if source != sample.source:
            self._engines.pop(sample.source, None)
        if told is None:
            return
        engine = told
        track = self._engines.get(source)
        if track is None:
            track = self._engines[source] = EngineTrack(source, engine, self._window, self._interval)
        for happened in track.feed(sample.time, sample.period, engine):
            self._events.append(event(sample.wall, engine, happened))
        readings = [track.reading for track in self._engines.values()]
        parts = shares(engine, self._read_devices(), readings)
        track.session.add(sample.time, sample.period, engine, parts, self._box.energies)

    def _feed_devices(self, sample: Sample, devices: Devices) -> None:
        _, _, before = self._devices.get(sample.source, (0.0, 0.0, None))
        known = {device.id: device for device in before.devices} if before else {}
        self._devices[sample.source] = (sample.time, sample.period, devices)
        self._box.add_devices(sample.time, sample.period, devices.devices, self._read_devices())
        at_rest = any(each.utilization is not None and each.utilization <= BUSY_FROM for each in devices.devices)
        working = self._working() if at_rest else set[str]()
        names = Counter(device.name for device in devices.devices)
        for device in devices.devices:
            idle = self._idle.setdefault(device.id, Idle())
            idle.add(sample.time, sample.period, device, works=device.id in working)
            trail = self._power.setdefault(device.id, Trail(self._interval))
            trail.add(sample.time, device.power_w)
            called = f"{device.name} ({device.id})" if names[device.name] > 1 else device.name
            self._events.extend(_device_events(sample.wall, known.get(device.id), device, called))

    def _read_devices(self) -> list[Device]:
        """All devices as they were last read."""
        return [device for _, _, seen in self._devices.values() for device in seen.devices]

    def _working(self) -> set[str]:
        """The devices that serve an engine which has something to do."""
        from .link import serving  # noqa: PLC0415

        busy = [track.reading for track in self._engines.values() if track.reading.requests_running]
        return {device.id for engine in busy for device in serving(engine, self._read_devices())} if busy else set()

    def _all_devices(self) -> list[Device]:
        """All devices, GPUs first; one whose source is silent says so."""
        found: list[Device] = []
        for time, period, seen in self._devices.values():
            silence = self._time - time
            stale = silence > 3 * period + 3
            words = f"its driver has not answered for {silence:.0f} s"
            found += [_recognised(device.lasting(words) if stale else device) for device in seen.devices]
        return sorted(found, key=lambda device: device.kind == "cpu")


def _recognised(device: Device) -> Device:
    from .catalogue.recognise import recognise  # noqa: PLC0415

    return recognise(device)


def _device_events(wall: float, before: Device | None, now: Device, called: str) -> list[Event]:
    """`called` is what tells it from its neighbours."""
    told: list[tuple[str, Literal["info", "warning"]]] = []
    trouble = now.problem and now.problem.translate(_NO_DIGITS)
    known = before and before.problem and before.problem.translate(_NO_DIGITS)
    if trouble and trouble != known:
        told.append((f"{called}: {now.problem}", "warning"))
    if before is not None:
        if known and not trouble:
            told.append((f"{called} answers again", "info"))
        started = [reason for reason in now.throttle_reasons if reason not in before.throttle_reasons]
        if started:
            told.append((f"{called} is held down: {', '.join(started)}", "warning"))
        if before.throttle_reasons and not now.throttle_reasons and not trouble:
            told.append((f"{called} runs freely again", "info"))
        if before.power_limit_w and now.power_limit_w and before.power_limit_w != now.power_limit_w:
            limits = f"{before.power_limit_w:.0f} W -> {now.power_limit_w:.0f} W"
            told.append((f"{called}: power limit {limits}", "info"))
    return [Event(wall=wall, text=text, level=level, source=now.id) for text, level in told]
