"""A tuning from its opening to its end, each in a thread of its own: a driver may hang, a screen may not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from ...estimator.snapshot import EngineView, Snapshot
from ...estimator.tuning.point import Point
from ..feed import Feed
from .ending import Severity, end
from .opening import Opened, opened
from .tuning import Tuning
from .wish import Wish


class Session:
    """One tuning at a time; `before` is the thread that still gives back what the last one changed."""

    def __init__(self, feed: Feed, api_key: str | None, folder: Path | None, before: Thread | None) -> None:
        self.tuning: Tuning | None = None
        self.giving_back = before
        """Python does not end before this thread has."""
        self._feed, self._api_key, self._folder = feed, api_key, folder
        self._leave: Callable[[], None] | None = None

    def open(
        self,
        snapshot: Snapshot,
        engine: EngineView | None,
        devices: Sequence[str],
        wish: Wish,
        *,
        points: Sequence[Point],
        tell: Callable[[Opened], object],
    ) -> None:
        """Reads where the limits stand; `tell` hears of it on another thread."""
        before = self.giving_back

        def work() -> None:
            if before is not None:
                before.join()
            tell(opened(snapshot, engine, devices, wish, points=points, api_key=self._api_key, folder=self._folder))

        Thread(target=work, name="limits", daemon=True).start()

    def begin(self, tuning: Tuning) -> None:
        """Measures from now on."""
        self.tuning = tuning.__enter__()
        if tuning.bench.generates:
            tuning.keep_busy()
        self._leave = self._feed.listen(tuning.bench.take)

    def end(self, tell: Callable[[str, Severity], object]) -> None:
        """Puts back what was not kept; `tell` hears on another thread what a person should know."""
        tuning, leave = self.tuning, self._leave
        if tuning is None or leave is None:
            return
        self.tuning = self._leave = None

        def work() -> None:
            leave()
            words, severity = end(tuning)
            if words:
                tell(words, severity)

        self.giving_back = Thread(target=work, name="giving back", daemon=False)
        self.giving_back.start()
