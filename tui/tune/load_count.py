"""Tokens that clients were sent: an event is taken for as many as the engine said of those before."""

from threading import Lock


class Counted:
    """Sums up all requests of a load."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens = self._shown = 0.0
        self._told = self._events = 0.0
        """Tokens and events of the requests of which the engine told both."""

    @property
    def tokens(self) -> float:
        """So far. Never falls, also where an estimate was too high."""
        with self._lock:
            self._shown = max(self._shown, self._tokens)
            return self._shown

    @property
    def about(self) -> bool:
        """Whether the engine has told of no request yet."""
        with self._lock:
            return not self._events

    def request(self) -> "Request":
        """A request begins."""
        return Request(self)

    def add(self) -> float:
        """One event came; returns how many tokens it was taken for."""
        with self._lock:
            tokens = self._told / self._events if self._events else 1.0
            self._tokens += tokens
            return tokens

    def settle(self, events: int, taken: float, told: int) -> None:
        """Puts the truth in the place of the estimate."""
        with self._lock:
            self._tokens += told - taken
            self._told += told
            self._events += max(events, 1)


class Request:
    """One answer."""

    def __init__(self, counted: Counted) -> None:
        self._counted = counted
        self._events, self._taken = 0, 0.0

    def add(self) -> None:
        """One event with text."""
        self._events += 1
        self._taken += self._counted.add()

    def end(self, told: int | None) -> None:
        """It is over; `told` is how many tokens the engine says it had."""
        if told is not None:
            self._counted.settle(self._events, self._taken, told)
