"""Counts of what was observed, by engine, model and upstream. Any thread may add to them."""

import os
from collections.abc import Collection
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

if TYPE_CHECKING:
    from .request import Request

MOST_ROWS = 200
"""Models a process may have rows for. Names come from requests: what goes beyond shares a row without a name."""


class Key(NamedTuple):
    """What tells one row from another; each stands in a label."""

    engine: str
    model: str = ""
    upstream: str = ""
    """URL of the engine whose answers are counted; empty where it runs in this process."""


class Identity(NamedTuple):
    """What else is known of a row; empty where it is not."""

    path: str = ""
    """Folder or file of the weights."""
    quantization: str = ""
    version: str = ""
    """Of the engine."""


class Count:
    """A total that never falls: what is taken back is owed, and what comes later pays for it first."""

    __slots__ = ("owed", "total")

    def __init__(self) -> None:
        self.total = 0
        self.owed = 0

    def add(self, number: int) -> None:
        """Adds a number, which may be negative."""
        rest = number - self.owed
        if rest >= 0:
            self.total += rest
            self.owed = 0
        else:
            self.owed = -rest


class Seconds:
    """Observed times: their sum, and how many they are."""

    __slots__ = ("count", "sum")

    def __init__(self) -> None:
        self.sum = 0.0
        self.count = Count()

    def add(self, seconds: float, count: int) -> None:
        """Adds the sum of so many observations."""
        self.sum += seconds
        self.count.add(count)

    def both(self, lock: RLock) -> tuple[float, int]:
        """Sum and number of the same moment."""
        with lock:
            return self.sum, self.count.total


class Row:
    """All counts of one key. Whoever reads or changes them holds `lock`.

    The lock may be taken again by the thread that has it: the garbage collector may close a stream, and so end its
    request, in the middle of counting for another.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        self.identity = Identity()
        self.lock = RLock()
        self.running: set[Request] = set()
        self.generation_tokens = Count()
        self.prompt_tokens = Count()
        """Of prompts that were read, cached ones among them."""
        self.computed_tokens = Count()
        """The same without those that were cached. What was cached is often told late: this never falls for it."""
        self._cached_tokens = 0
        self.requests = Count()
        """Those that have ended."""
        self.drafts = Count()
        self.drafted_tokens = Count()
        self.accepted_tokens = Count()
        self.drafting = False
        """Whether speculative decoding was seen at all: where it was not, its counts are unknown rather than 0."""
        self.estimated_tokens = 0
        """How many of the generated tokens are estimates that nothing exact has replaced."""
        self.first_token = Seconds()
        self.output_token = Seconds()
        """Time per output token after the first, each token an observation."""
        self.request_output_token = Seconds()
        """The same as OpenTelemetry has it: each request that has ended is one observation, its mean."""

    def cached_tokens(self) -> int:
        """Prompt tokens that were cached; does not fall."""
        with self.lock:
            self._cached_tokens = max(self._cached_tokens, self.prompt_tokens.total - self.computed_tokens.total)
            return self._cached_tokens

    def under_way(self) -> tuple["Request", ...]:
        """The requests that have not ended."""
        with self.lock:
            return tuple(self.running)

    def identify(self, *, path: str = "", quantization: str = "", version: str = "") -> None:
        """Adds what is known of it; what is empty stays as it was."""
        with self.lock:
            known = self.identity
            self.identity = Identity(path or known.path, quantization or known.quantization, version or known.version)


class Counts:
    """The rows of one process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._rows: dict[Key, Row] = {}
        _alive.add(self)

    def row(self, engine: str, model: str = "", upstream: str = "") -> Row:
        """The row of these three, new at the first call."""
        key = Key(engine, model, upstream)
        with self._lock:
            if key not in self._rows and len(self._rows) >= MOST_ROWS:
                key = Key(engine, "", upstream)
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = Row(key)
            return row

    def rows(self) -> Collection[Row]:
        """All rows, the oldest first."""
        with self._lock:
            return tuple(self._rows.values())

    def in_child(self) -> None:
        """Begins anew in a forked child: what is under way is the parent's, and another thread may have held a lock."""
        for row in self._rows.values():
            row.lock = RLock()
        self._lock = RLock()
        self._rows = {}


_alive: WeakSet[Counts] = WeakSet()


def _in_child() -> None:
    for counts in tuple(_alive):
        counts.in_child()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_in_child)
