"""A feed that plays a made-up scene."""

from collections.abc import Callable

from llmtop.estimator.snapshot import Snapshot
from llmtop.probes.sample import Sample
from llmtop.tui.feed import Player


class FakePlayer:
    """The controls of a recording that is not there."""

    def __init__(self) -> None:
        self.paused = False
        self.speed = 1.0
        self.position = 42.0
        self.duration = 190.0

    def seek(self, position: float) -> None:
        self.position = position


class FakeFeed:
    """Each snapshot is the next tick of the scene."""

    def __init__(self, scene: Callable[[int], Snapshot], *, interval: float = 1.0, replay: bool = False) -> None:
        self.scene = scene
        self.interval = interval
        self.fake_player = FakePlayer() if replay else None
        self.tick = -1
        self.calls: list[str] = []
        self.listeners: list[Callable[[Sample], None]] = []
        self.started = False
        self.failure: OSError | None = None

    @property
    def player(self) -> Player | None:
        return self.fake_player

    def snapshot(self) -> Snapshot:
        self.tick += 1
        return self.scene(self.tick)

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.calls.append("stop")

    def listen(self, take: Callable[[Sample], None]) -> Callable[[], None]:
        self.listeners.append(take)
        return lambda: self.listeners.remove(take)

    def rescan(self) -> None:
        self.calls.append("rescan")

    def measure(self) -> str:
        self.calls.append("measure")
        if self.failure is not None:
            raise self.failure
        return "43.1 GB/s [read]"
