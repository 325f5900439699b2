"""Engines that stand behind another one: their readings, with the names that the person knows."""

import time
from collections.abc import Callable

from msgspec import structs

from ..address import Address
from ..fetch import FetchError
from ..sample import Engine, ModelFacts
from .contract import Host

AGAIN_S = 5.0
"""Seconds between two questions to a host that does not know the name yet: it may still be loading the model."""


class Behind:
    """Puts on the readings of one child who stands before it, and how that one calls the model."""

    def __init__(self, via: str, host: Host, called: Callable[[Engine], str | None], source: str) -> None:
        """Nothing is asked yet.

        Args:
            via: how the host is called.
            host: where it listens.
            called: asks the host for the name of the model in a reading. May raise FetchError.
            source: where that name comes from, for a model of which nothing else is known.
        """
        self._via = f"{via} {Address.parse(host.url).site}"
        self._called = called
        self._source = source
        self._path: str | None = None
        self._name: str | None = None
        self._asked = float("-inf")

    def __call__(self, reading: Engine) -> Engine:
        """The same reading under the host's names. Without an answer of the host it keeps its own."""
        return structs.replace(self.rename(reading), via=self._via)

    def rename(self, reading: Engine) -> Engine:
        """The same reading with the name of its model, which is asked for once, and again when the model changes."""
        model = reading.model
        if model is not None and model.path != self._path:
            self._path, self._name, self._asked = model.path, None, float("-inf")
        if self._name is None and time.monotonic() - self._asked >= AGAIN_S:
            self._asked = time.monotonic()
            self._name = self._ask(reading)
        if self._name is None:
            return reading
        known = model or ModelFacts(name=self._name, source=self._source)
        return structs.replace(reading, model=structs.replace(known, name=self._name))

    def _ask(self, reading: Engine) -> str | None:
        try:
            return self._called(reading)
        except FetchError:  # the host may hang while its child works
            return None


def port(url: str) -> int | None:
    """Port of a URL as a host writes it; None if it is none."""
    try:
        return Address.parse(url).port
    except ValueError:
        return None
