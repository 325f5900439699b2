"""One stay at one limit: when it began and why, and what was seen of the engine in it."""

from collections import deque

from msgspec import Struct

from ...probes.sample import Engine
from .meter_blocks import Block, Blocks
from .meter_count import Stretch
from .meter_devices import TunedDevices


class Stay(Struct, frozen=True, kw_only=True):
    """Where the meter stands."""

    number: int
    """Counts the stays."""
    began: float
    """Monotonic seconds."""
    why: str
    """"asked", "first reading", "the power limit changed", "the engine was restarted"."""
    limits_w: tuple[float | None, ...]
    """As the devices tell them, in the order given."""
    measuring_since: float | None = None
    """None while it settles."""
    remarks: tuple[str, ...] = ()
    """What a person should know of the measurement, a sentence each."""


class Tally:
    """What was counted in a stay."""

    def __init__(self, began: float, why: str) -> None:
        self.began = began
        self.why = why
        self.since: float | None = None
        """When it had settled."""
        self.not_before = began
        """Nothing counts until then: after a hole everything has to settle again."""
        self.unsteady = False
        """Whether it was measured though the draw still moved."""
        self.late = False
        """Whether the engine counts at the end of a request only."""
        self.blocks = Blocks()
        self.samples = 0
        self._waiting: deque[Stretch] = deque()
        self._streams = self._context = 0.0
        self._told = self._contexts = 0
        self._holes, self._silent_s = 0, 0.0

    def counts(self, time: float) -> bool:
        """Whether what comes in at that moment counts."""
        return self.since is not None and time >= self.not_before

    def hear(self, reading: Engine) -> None:
        """Takes the load that the engine tells."""
        self.samples += 1
        if reading.requests_running is not None:
            self._streams += reading.requests_running
            self._told += 1
        if reading.context_tokens is not None:
            self._context += reading.context_tokens
            self._contexts += 1

    def leave_out(self, time: float, seconds: float, settle_s: float) -> None:
        """A hole that ended at `time`."""
        if self.since is not None:
            self._holes += 1
            self._silent_s += seconds
            self.not_before = time + settle_s

    def keep(self, stretch: Stretch) -> None:
        """Keeps a stretch until its energy is told."""
        self._waiting.append(stretch)

    def resolve(self, devices: TunedDevices, now: float, patience_s: float) -> None:
        """Gives each stretch the energy of its seconds, as soon as the devices have told it, or will not any more."""
        while self._waiting and max(devices.until, now - patience_s) >= self._waiting[0].end:
            stretch = self._waiting.popleft()
            joules = devices.joules(stretch.start, stretch.end)
            self.blocks.put(Block(stretch.end - stretch.start, stretch.tokens, joules, stretch.idle_s))

    @property
    def streams(self) -> float | None:
        """Requests that were running, on average."""
        return self._streams / self._told if self._told else None

    @property
    def context_tokens(self) -> float | None:
        """Tokens in the cache, on average."""
        return self._context / self._contexts if self._contexts else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of it, a sentence each."""
        found: list[str] = []
        if self._holes:
            times = "once" if self._holes == 1 else f"{self._holes} times"
            found.append(f"nothing was heard of the engine {times}, {self._silent_s:.0f} s in all: left out")
        if self.unsteady:
            found.append("the draw did not become steady: measured as it was")
        if self.late:
            found.append("the engine counts at the end of a request only: no rate of now can be told from it")
        return tuple(found)
