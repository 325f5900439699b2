"""Orders from any thread to the one that carries them out."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

Order = Callable[[], None]


class Orders:
    """Whoever gives them does not wait; `idle` says when they are done."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Order] = SimpleQueue()
        self._busy = False

    def give(self, order: Order) -> None:
        """On any thread."""
        self._waiting.put(order)

    def take(self) -> Iterator[Order]:
        """Those that have come; until `done` is called, they count as not done."""
        self._busy = True
        while True:
            try:
                order = self._waiting.get_nowait()
            except Empty:
                return
            yield order

    def done(self) -> None:
        """What came of them can be seen now."""
        self._busy = False

    @property
    def idle(self) -> bool:
        """Whether all are done."""
        return self._waiting.empty() and not self._busy
