"""Measures one stay at one power limit: samples in, a point with its errors out.

A stay begins when the limit of a device changes, when its owner says so, or when the engine was restarted. It settles
first; only then it counts. Pure: time comes with the samples.
"""

from collections.abc import Sequence
from typing import Literal

from ...probes.sample import Devices, Engine, Gone, Sample
from ..flow import is_another
from .meter_blocks import Blocks
from .meter_count import Count
from .meter_devices import TunedDevices
from .meter_prompts import Prompts
from .meter_stay import Stay, Tally
from .point import Point

HOLE_S = 5.0
"""Seconds of silence that make a hole; three periods of the source where those are longer."""
PATIENCE = 3.0
"""Times the settling time after which an unsteady draw is measured as it is."""
_ALIVE = frozenset({"ok", "idle"})


class Meter:
    """Follows one engine and the devices that serve it. Memory does not grow with the length of a stay."""

    def __init__(
        self,
        engine: str,
        devices: Sequence[str],
        *,
        settle_s: float = 5.0,
        block_s: float = 2.0,
        phase: Literal["decode", "prefill", "both"] = "both",
    ) -> None:
        """Begins with the first sample.

        Args:
            engine: the source of its samples.
            devices: ids, one at least; the first one's limit stands in the points.
            settle_s: seconds after a change that do not count.
            block_s: least length of the stretches that the error is told from.
            phase: what the points tell of; with "prefill" alone, the few tokens that are generated are left out.
        """
        self._engine = engine
        self._phase = phase
        self._settle_s = settle_s
        self._devices = TunedDevices(devices)
        self._count = Count(block_s)
        self._prompts = Prompts(block_s)
        self._by_clients = False
        self._reading: Engine | None = None
        self._heard: tuple[float, float] | None = None
        """Monotonic and wall time of the engine's last reading that told something."""
        self._generated = 0.0
        """Of an engine that tells its rate only: the sum of it over time."""
        self._number = 0
        self._now = 0.0
        self._tally = Tally(0.0, "")

    def begin(self, time: float) -> None:
        """A new stay: the limit, or what the load does, has just been changed."""
        self._now = max(self._now, time)
        self._open(time, "asked")

    def feed(self, sample: Sample) -> None:
        """Takes every sample of the machine; those of other sources are let pass."""
        reading = sample.reading
        hole_s = max(HOLE_S, 3 * sample.period)
        if isinstance(reading, Devices):
            self._tick(sample.time)
            if self._devices.feed(sample.source, sample.time, reading, hole_s=hole_s):
                self._open(sample.time, "the power limit changed")
        elif sample.source == self._engine and isinstance(reading, Engine | Gone):
            self._tick(sample.time)
            if isinstance(reading, Engine) and reading.status in _ALIVE:
                self._listen(sample, reading, hole_s)
        else:
            return
        self._settle(sample.time)

    def count(self, time: float, tokens: float) -> None:
        """All tokens that clients have been sent so far; from the first call on they count instead of the engine's."""
        self._tick(time)
        if not self._by_clients:
            self._by_clients = True
            self._count.forget()
        last = self._count.last_s
        if last is not None and time - last > HOLE_S:
            self._leave_out(time, time - last)
        self._take(time, tokens, stepped=False)
        if self._heard is None and self._tally.counts(time):
            self._tally.samples += 1
        self._settle(time)

    def prompt(self, time: float, tokens: float, seconds: float) -> None:
        """A client's prompt was read in, in so many seconds up to `time`."""
        self._tick(time)
        if self._tally.since is not None and time - seconds >= self._tally.since:
            self._prompts.add(time, tokens, seconds)

    @property
    def settled(self) -> bool:
        """Whether what comes in counts."""
        return self._tally.since is not None

    @property
    def stay(self) -> Stay:
        """Where it stands."""
        return Stay(
            number=self._number,
            began=self._tally.began,
            why=self._tally.why,
            limits_w=self._devices.limits_w,
            measuring_since=self._tally.since,
            remarks=self.remarks,
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of this stay, a sentence each."""
        return (*self._devices.missing, *self._tally.remarks)

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each device that is gone."""
        return self._devices.missing

    @property
    def silent_s(self) -> float | None:
        """Seconds for which the engine has told nothing; None before it did for the first time."""
        return self._now - self._heard[0] if self._heard else None

    @property
    def quiet_s(self) -> float | None:
        """Seconds for which no token came, as far as heard; None before the first count."""
        moved, last = self._count.moved_s, self._count.last_s
        return last - moved if moved is not None and last is not None else None

    @property
    def unevenness(self) -> float | None:
        """Standard deviation of the decode rate from block to block over its mean."""
        return self._tally.blocks.unevenness

    @property
    def point(self) -> Point | None:
        """What is known of this stay; None while the limit is not known. Before it has settled: what is now."""
        devices, tally = self._devices, self._tally
        blocks = Blocks() if self._phase == "prefill" else tally.blocks
        limit = devices.limits_w[0]
        if limit is None:
            return None
        prefill = None if self._phase == "decode" else self._prompts.rate
        power_w = blocks.power_w or devices.power_w or devices.draw_w
        per_token = blocks.joules_per_token
        if per_token is None and blocks.total is None and prefill is not None and power_w and prefill.tps:
            per_token = power_w / prefill.tps
        begun = self._now if tally.since is None else tally.since
        return Point(
            power_limit_w=limit,
            power_w=power_w,
            decode=blocks.rate,
            prefill=prefill,
            joules_per_token=per_token,
            sm_clock_mhz=devices.sm_clock_mhz,
            memory_clock_mhz=devices.memory_clock_mhz,
            temperature_c=devices.temperature_c,
            throttled_share=devices.throttled_share,
            other_throttles=devices.other_throttles,
            streams=tally.streams,
            context_tokens=tally.context_tokens,
            idle_share=blocks.idle_share,
            started=begun,
            seconds=blocks.total.seconds if blocks.total else self._now - begun,
            samples=tally.samples,
        )

    def _open(self, time: float, why: str) -> None:
        self._number += 1
        self._tally = Tally(time, why)
        self._count.cut()
        self._devices.begin()
        self._prompts.begin()

    def _tick(self, time: float) -> None:
        if not self._number:
            self._open(time, "first reading")
        self._now = max(self._now, time)

    def _settle(self, time: float) -> None:
        tally, devices = self._tally, self._devices
        tally.resolve(devices, self._now, HOLE_S)
        waited = time - tally.began
        if tally.since is not None or waited < self._settle_s or devices.limits_w[0] is None:
            return
        if devices.steady or waited >= PATIENCE * self._settle_s:
            tally.unsteady = not devices.steady
            tally.since = time
            devices.measure(time)

    def _listen(self, sample: Sample, reading: Engine, hole_s: float) -> None:
        before, self._reading = self._reading, reading
        if before is not None and is_another(before, reading):
            self._restart(sample.time)
        elif self._heard is not None:
            silence = sample.time - self._heard[0]
            slept = sample.wall - self._heard[1] - silence  # a monotonic clock may stand still while a machine sleeps
            if max(silence, slept) > hole_s:
                self._leave_out(sample.time, silence + max(slept, 0.0))
        tokens = self._told(sample.time, reading)
        self._heard = (sample.time, sample.wall)
        if tokens is not None and not self._by_clients:
            stepped = reading.liveness == "interval" and reading.requests_running != 0
            self._take(sample.time, tokens, stepped=stepped)
        counts = self._tally.counts(sample.time)
        self._prompts.told(reading, counts=counts)
        if counts:
            self._tally.hear(reading)

    def _told(self, time: float, reading: Engine) -> float | None:
        """The count, or the rate summed up; None where it tells neither."""
        if reading.decode_tokens is not None and reading.liveness != "request":
            return reading.decode_tokens
        if reading.decode_tps is None:
            self._tally.late = reading.liveness == "request" and not self._by_clients
            return None
        if self._heard is not None and reading.requests_running != 0:
            self._generated += reading.decode_tps * min(time - self._heard[0], HOLE_S)
        return self._generated

    def _take(self, time: float, tokens: float, *, stepped: bool) -> None:
        if self._count.fell(tokens):
            self._restart(time)
        stretch = self._count.add(time, tokens, stepped=stepped, counts=self._tally.counts(time))
        if stretch is not None:
            self._tally.keep(stretch)

    def _restart(self, time: float) -> None:
        self._count.forget()
        self._generated = 0.0
        self._open(time, "the engine was restarted")

    def _leave_out(self, time: float, seconds: float) -> None:
        """What comes after a hole has to settle again; what was before it counts."""
        self._count.cut()
        self._tally.leave_out(time, seconds, self._settle_s)
