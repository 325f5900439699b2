"""Servers that publish no count of tokens: that they are there, and which model they run, is all that they tell."""

import time
from collections.abc import Callable
from typing import ClassVar

from msgspec import structs

from ..fetch import Answer, Fetch
from ..sample import Engine, ModelFacts
from .contract import PROXY, UNAUTHORIZED, Seen, Way, no_counter
from .weights import Loaded, model

EVERY_S = 5.0
"""Seconds between two questions whether it is still there: most of them write a line in their log for each."""


class Uncounted:
    """Reads one of them: the file of an engine says how it is known and what it runs."""

    name: ClassVar[str]
    way: ClassVar[Way] = PROXY
    PATHS: ClassVar[frozenset[str]]

    def __init__(self, seen: Seen, fetch: Fetch, loaded: Callable[[], Loaded | None], alive: str) -> None:
        """Nothing is asked yet.

        Args:
            seen: what identification has learnt; the first reading asks nothing that it knows.
            fetch: asks it; kept to `PATHS`.
            loaded: what its model is, as far as that is known.
            alive: the path that is asked to see whether it is there.
        """
        endpoint = self._endpoint = seen.endpoint
        self._ask: Callable[[str], Answer | None] = seen.get
        self._fetch = fetch.only(self.PATHS)
        self._loaded = loaded
        self._alive = alive
        self._asked = float("-inf")
        self._told: Loaded | None = None
        self._facts: ModelFacts | None = None
        self._last = Engine(engine=self.name, url=endpoint.url, status="ok", problem=no_counter(endpoint.url))

    @property
    def period(self) -> float:
        """As often as the person likes: it is asked every `EVERY_S` seconds only."""
        return float("inf")

    def read(self) -> Engine:
        """One reading. Raises FetchError when it could not be asked."""
        if time.monotonic() - self._asked >= EVERY_S:
            self._asked = time.monotonic()
            self._last = self._look()
        return self._last

    def _look(self) -> Engine:
        answer = self._ask(self._alive)
        self._ask = self._fetch.get
        if answer is None:
            return structs.replace(self._last, status="unsupported", problem=f"no answer to GET {self._alive}")
        if answer.status in {401, 403}:
            return structs.replace(self._last, status="unauthorized", problem=UNAUTHORIZED)
        if answer.status == 503:
            return structs.replace(self._last, status="loading", problem="is not ready yet")
        return structs.replace(self._last, status="ok", problem=no_counter(self._endpoint.url), model=self._model())

    def _model(self) -> ModelFacts | None:
        loaded = self._loaded()
        if loaded != self._told:
            self._told, self._facts = loaded, model(loaded, self._endpoint) if loaded else None
        return self._facts
