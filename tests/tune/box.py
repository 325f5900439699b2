"""A simulation in made-up time: one engine on one or more GPUs, whose samples come as fast as they are taken."""

from collections.abc import Iterator

from llmtop.probes.sample import Device, Devices, Engine, Reading, Sample

from .curve import Curve, Noise

ENGINE = "http://127.0.0.1:8080"
HARDWARE = "nvidia"


class Box:
    """Follows a published sweep. Its owner changes `limit_w` and the rest while time passes."""

    def __init__(
        self,
        curve: Curve,
        *,
        gpus: int = 1,
        noise: Noise | None = None,
        power_noise: Noise | None = None,
        period_s: float = 1.0,
        lag_s: float = 1.0,
        start: float = 1000.0,
        energy: bool = True,
    ) -> None:
        self.curve = curve
        self.limit_w = curve.stock_limit_w
        self.load = 1.0
        """Share of the time that there is work; 0 stops it."""
        self.streams = float(curve.streams)
        """Requests at once."""
        self.names = [f"nvidia{index}" for index in range(gpus)]
        self.gone: set[str] = set()
        """Devices that have vanished."""
        self.alive = True
        """Whether the engine answers."""
        self.pid = 100
        self.now = start
        self.slept_s = 0.0
        """By which the wall clock is ahead of the monotonic one."""
        self.tokens = 0.0
        self._noise, self._power_noise = noise or Noise(1), power_noise or Noise(2)
        self._period_s, self._lag_s, self._energy = period_s, lag_s, energy
        self._draw_w, self._joules = 25.0, 0.0

    def run(self, seconds: float) -> Iterator[Sample]:
        """Samples of that time: each period one of the devices, and a third of a period later one of the engine."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self._pass(self._period_s / 3)
            if self.alive:
                yield self._sample(ENGINE, self._engine())
            else:
                yield self._sample(ENGINE, Engine(engine="llama.cpp", url=ENGINE, status="unreachable"))
            self._pass(self._period_s * 2 / 3)
            yield self._sample(HARDWARE, self._devices())

    def skip(self, seconds: float) -> None:
        """Time in which nobody reads anything."""
        self._pass(seconds)

    def sleep(self, seconds: float) -> None:
        """The lid is closed: the monotonic clock stands still, and so does the work."""
        self.slept_s += seconds

    def restart(self) -> None:
        """Another process serves, and counts from 0."""
        self.pid, self.tokens = self.pid + 1, 0.0

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        step = self.curve.at(self.limit_w)
        working = self.load if self.alive else 0.0
        self.tokens += step.tps * self._noise.at(self.now) * working * seconds
        aim = 25.0 + (step.draw_w - 25.0) * working
        before = self._draw_w
        self._draw_w += (aim - self._draw_w) * (min(seconds / self._lag_s, 1.0) if self._lag_s else 1.0)
        self._joules += (before + self._draw_w) / 2 * seconds

    def _sample(self, source: str, reading: Reading) -> Sample:
        wall = 1.7e9 + self.now + self.slept_s
        return Sample(source=source, time=self.now, wall=wall, period=self._period_s, reading=reading)

    def _engine(self) -> Engine:
        busy = self.load > 0
        return Engine(
            engine="llama.cpp",
            url=ENGINE,
            status="ok" if busy else "idle",
            pid=self.pid,
            decode_tokens=self.tokens,
            decode_source="GET /slots n_decoded",
            liveness="token",
            requests_running=self.streams if busy else 0.0,
            context_tokens=1000.0,
        )

    def _devices(self) -> Devices:
        step = self.curve.at(self.limit_w)
        binds = self.curve.binds(self.limit_w) and self.load > 0
        return Devices(
            devices=tuple(
                Device(
                    id=name,
                    name=self.curve.hardware,
                    vendor="NVIDIA",
                    kind="gpu",
                    power_w=self._draw_w * self._power_noise.at(self.now),
                    energy_j=self._joules if self._energy else None,
                    power_limit_w=self.limit_w,
                    power_limit_min_w=self.curve.steps[0].limit_w,
                    power_limit_max_w=self.curve.steps[-1].limit_w,
                    power_limit_default_w=self.curve.stock_limit_w,
                    sm_clock_mhz=step.clock_mhz,
                    temperature_c=60.0,
                    throttle_reasons=("power cap",) if binds else (),
                )
                for name in self.names
                if name not in self.gone
            )
        )
