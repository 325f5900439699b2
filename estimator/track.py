"""What is known of one engine over time: its rates, its load, and how it stands to the ceiling."""

from collections import deque
from collections.abc import Sequence

from ..probes.sample import Device, Engine, ModelFacts, Total
from . import sentence
from .drafting import Drafting
from .flow import Flow, Told, is_another
from .link import contested, moved, neighbours, power, serving, share, shared
from .model import F16_BYTES, Load, active_parameters, kv_bytes_read, weight_bytes_read
from .offload import left_over
from .outlook import Outlook, outlook, where
from .own import Run
from .rate import Mean, Rate
from .session import Session
from .snapshot import EngineView, Event, Model
from .steady import Steady
from .trail import Trail

ALIVE = frozenset({"ok", "idle"})
ALONE = 0.95
"""Share of a device's work from which a run tells what the device can do."""
TROUBLE = {
    "unreachable": "is gone",
    "loading": "is loading its model",
    "sleeping": "has gone to sleep",
    "unauthorized": "asks for an API key",
}


class EngineTrack:
    """Folds the readings of one engine. Pure: time comes with the readings."""

    def __init__(self, source: str, first: Engine, window: float, interval: float) -> None:
        self.id = source
        self.reading = first
        self.time = 0.0
        self.period = interval
        self.trail = Trail(interval)
        self.session = Session()
        self._window = window
        self._begin()
        self._known: tuple[object, Outlook] | None = None
        self._model: ModelFacts | None = None
        self._begun = False

    def _begin(self) -> None:
        """Knows no rate: counts of another process, or of another source, are no continuation."""
        window = self._window
        self._decode = Flow(window)
        self._prefill = Flow(window)
        self._prefix_queries = Rate(max(window, 60.0))
        self._prefix_hits = Rate(max(window, 60.0))
        self._ttft = Mean(max(window, 10.0))
        self._tpot = Mean(window)
        self._drafting = Drafting(max(window, 10.0))
        self._steady = Steady()
        self._loads: deque[tuple[float, float, float]] = deque()

    def feed(self, time: float, period: float, reading: Engine) -> list[str]:
        """Takes one reading; returns what happened, in words, without the engine's name."""
        before, self.reading = self.reading, reading
        self.time, self.period = time, period
        happened = self._changes(before, reading)
        if is_another(before, reading):
            self._begin()
        alive = reading.status in ALIVE
        gap = max(15.0, 5 * period)
        self._decode.add(time, _decode(reading) if alive else Told(), gap=gap)
        self._prefill.add(time, _prefill(reading) if alive else Told(), gap=gap)
        self._prefix_queries.add(time, reading.prefix_queries if alive else None)
        self._prefix_hits.add(time, reading.prefix_hits if alive else None)
        self._add_mean(self._ttft, time, reading.ttft if alive else None)
        self._add_mean(self._tpot, time, reading.tpot if alive else None)
        self._drafting.add(time, reading if alive else None)
        if reading.model is not None:
            self._model = reading.model
        streams = max((reading.requests_running or 0.0) - (reading.prefilling or 0), 0.0)
        even = alive and reading.liveness in {"token", "step"}
        self._steady.add(time, reading.decode_tokens if even else None, streams, disturbed=bool(reading.prefilling))
        self._loads.append((time, streams, reading.context_tokens or 0.0))
        while len(self._loads) > 2 and self._loads[0][0] < time - max(self._decode.span or 0.0, self._window):
            self._loads.popleft()
        self.trail.add(time, self._decode.per_second)
        return happened

    def view(
        self, now: float, devices: list[Device], runs: Sequence[Run] = (), others: Sequence[Engine] = ()
    ) -> EngineView:
        """The engine as a person sees it.

        Args:
            now: monotonic seconds.
            devices: those of this machine.
            runs: what this machine reached before.
            others: the readings of all engines, which may use the same devices.
        """
        reading = self.reading
        silence = now - self.time
        if silence > 3 * self.period + 3:
            return EngineView(
                id=self.id,
                engine=reading.engine,
                url=reading.url,
                status="unreachable",
                pid=reading.pid,
                problem=f"no word for {silence:.0f} s",
                model=self._model_view(),
                session=self.session.told,
            )
        load = self._load()
        served_by = serving(reading, devices)
        speculation = self._drafting.speculation
        ahead = self._outlook(load, served_by, runs, devices)
        roof, good = ahead.ceiling, ahead.expected
        decode, prefill = self._decode.per_second, self._prefill.per_second
        names = {pid: label(other) for other in others for pid in other.pids}
        drawn = power(reading, served_by, contested(reading, others, devices))
        return EngineView(
            id=self.id,
            engine=reading.engine,
            url=reading.url,
            via=reading.via,
            status=reading.status,
            version=reading.version,
            pid=reading.pid,
            problem=reading.problem,
            model=self._model_view(),
            devices=tuple(device.id for device in served_by),
            decode_tps=decode,
            prefill_tps=prefill,
            decode_source=reading.decode_source,
            prefill_source=reading.prefill_source,
            liveness=reading.liveness,
            prefill_liveness=reading.prefill_liveness,
            about=reading.about,
            last_decode_tps=reading.last_decode_tps,
            last_prefill_tps=reading.last_prefill_tps,
            window_s=self._decode.span,
            ttft_s=self._ttft.value,
            tpot_s=self._tpot.value or self._tpot_from_rate(decode, load),
            requests_running=reading.requests_running,
            requests_waiting=reading.requests_waiting,
            slots=reading.slots,
            kv_cache_usage=reading.kv_cache_usage,
            prefix_hit_rate=_share(self._prefix_hits.per_second, self._prefix_queries.per_second),
            context_tokens=reading.context_tokens,
            tokens_per_step=speculation.tokens if speculation else None,
            draft_acceptance=speculation.accepted_share if speculation else None,
            tensor_parallel=reading.tensor_parallel,
            kv_bytes=kv_bytes_read(self._model, load) if self._model else None,
            ceiling=roof,
            expected=good,
            mbu=decode / roof.decode_tps if decode and roof.decode_tps and roof.limit == "bandwidth" else None,
            mfu=prefill / roof.prefill_tps if prefill and roof.prefill_tps else None,
            bandwidth_utilization=moved(served_by),
            session=self.session.told,
            power_w=drawn,
            joules_per_token=drawn / decode if drawn and decode and decode > 0.05 else None,
            binds=sentence.binds(
                reading,
                facts=self._model,
                load=load,
                roof=roof,
                good=good,
                devices=served_by,
                decode_tps=decode,
                shared=[shared(reading, device, names) for device in served_by if neighbours(reading, device)],
            ),
        )

    def _changes(self, before: Engine, now: Engine) -> list[str]:
        if not self._begun:
            self._begun = True
            return [f"found, {now.status}" if now.status in ALIVE else now.problem or now.status]
        if before.status in ALIVE and now.status in ALIVE:
            fell = (now.decode_tokens or 0.0) < (before.decode_tokens or 0.0)
            if fell or (before.pid and now.pid and before.pid != now.pid):
                return ["was restarted"]
            if before.model and now.model and before.model.name != now.model.name:
                return [f"now runs {now.model.name}"]
            return []
        if before.status == now.status:
            return []
        if now.status in ALIVE:
            return ["is back" if before.status == "unreachable" else "is ready"]
        return [TROUBLE.get(now.status, f"is {now.status}")]

    @property
    def has_run(self) -> bool:
        """Whether a steady stretch of decoding has become long enough."""
        return self._steady.is_long_enough

    def finished_run(self, wall: float, devices: list[Device], others: Sequence[Engine] = ()) -> Run | None:
        """A steady stretch of decoding beside what was expected of it, once it has been long enough."""
        served_by = serving(self.reading, devices)
        facts = self._model
        if facts is None or not served_by or any(device.throttle_reasons for device in served_by):
            return None
        if any((share(self.reading, device) or 0.0) < ALONE for device in served_by):
            return None
        if contested(self.reading, others, devices):
            return None
        measured = self._steady.take()
        ahead = self._outlook(self._load(), served_by, (), devices) if measured else None
        if measured is None or ahead is None or ahead.plain_tps is None or ahead.software is None:
            return None
        return Run(
            engine=ahead.software.engine.name,
            backend=ahead.software.backend,
            device=where(served_by),
            model=facts.name,
            quantization=facts.quantization,
            phase="decode",
            ratio=measured / ahead.plain_tps,
            when=wall,
        )

    def _outlook(self, load: Load, devices: list[Device], runs: Sequence[Run], every: list[Device]) -> Outlook:
        """What it could reach; an engine at rest is not asked about again and again."""
        speculation, left = self._drafting.speculation, left_over(self.reading, self._model, devices, every)
        made_of = (
            load,
            speculation,
            len(runs),
            self.reading.engine,
            self.reading.threads,
            self._model,
            [(device.id, device.bandwidth_gbs, device.compute_tflops) for device in (every if left else devices)],
            left.stored_bytes if left else None,
        )
        if self._known is None or self._known[0] != made_of:
            found = outlook(self.reading, self._model, load, devices, speculation=speculation, runs=runs, left=left)
            self._known = made_of, found
        return self._known[1]

    def _load(self) -> Load:
        """The heaviest load of the window: a rate is never held against a roof lower than that of its own time."""
        _, streams, context = max(self._loads, key=lambda load: load[1], default=(0.0, 0.0, 0.0))
        return Load(
            streams=max(streams, 1.0),
            context_tokens=context if streams else 0.0,
            kv_bytes_per_element=self.reading.kv_bytes_per_element or F16_BYTES,
        )

    def _tpot_from_rate(self, decode: float | None, load: Load) -> float | None:
        """Seconds between two tokens of one stream, where the rate moves with every token or step."""
        if not decode or not self.reading.requests_running or self.reading.liveness not in {"token", "step"}:
            return None
        return load.streams / decode

    @staticmethod
    def _add_mean(mean: Mean, time: float, total: Total | None) -> None:
        mean.add(time, total.seconds if total else None, total.count if total else None)

    def _model_view(self) -> Model | None:
        facts = self._model
        if facts is None:
            return None
        return Model(
            name=facts.name,
            path=facts.path,
            architecture=facts.architecture,
            parameters=facts.parameters,
            active_parameters=active_parameters(facts),
            quantization=facts.quantization,
            weight_bytes=facts.weight_bytes,
            bytes_per_token=weight_bytes_read(facts),
            context_length=facts.context_length,
            basis=facts.source,
        )


def label(reading: Engine) -> str:
    """How an engine is called in a line of text: "llama.cpp 127.0.0.1:8080"."""
    return f"{reading.engine} {reading.url.partition('://')[2] or reading.url}"


def event(wall: float, reading: Engine, text: str) -> Event:
    """A line about an engine."""
    named = reading.url.partition("://")[2] or reading.url
    return Event(
        wall=wall,
        text=text if named in text else f"{label(reading)} {text}",
        level="info" if reading.status in ALIVE else "warning",
        source=reading.url,
    )


def _decode(reading: Engine) -> Told:
    return Told(reading.decode_tokens, reading.decode_tps, reading.liveness, reading.requests_running == 0)


def _prefill(reading: Engine) -> Told:
    return Told(reading.prefill_tokens, reading.prefill_tps, reading.prefill_liveness, reading.requests_running == 0)


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole and part <= whole else None
