"""What all engines with Prometheus metrics have in common: one GET, and a table of the names they use."""

from collections.abc import Callable, Collection

from msgspec import structs

from ..exposition import BadExposition, Series, parse
from ..fetch import Fetch
from ..sample import Engine, Status
from .contract import UNAUTHORIZED
from .prometheus import Names

Parse = Callable[[bytes, Collection[str]], Series]
"""Reads the samples with these names from a body. Raises BadExposition."""


class Scrape:
    """Reads the metrics of one engine into what is known of it."""

    def __init__(self, fetch: Fetch, names: Names, path: str = "/metrics", parse: Parse = parse) -> None:
        """Nothing is asked yet; `parse` is for engines whose text, or whose labels, are not as those of others."""
        self._fetch = fetch
        self._names = names
        self._path = path
        self._parse = parse

    def read(self, known: Engine) -> tuple[Engine, Series | None]:
        """One reading, with the samples for what the table does not say; they are None when there is trouble.

        Raises:
            FetchError: the engine could not be asked.
        """
        answer = self._fetch.get(self._path)
        if answer.status in {401, 403}:
            return _trouble(known, "unauthorized", UNAUTHORIZED), None
        if answer.status == 503:
            return _trouble(known, "loading", f"GET {self._path} answers 503: not ready yet"), None
        if answer.status != 200:
            return _trouble(known, "unsupported", f"GET {self._path} answers {answer.status}"), None
        try:
            series = self._parse(answer.body, self._names.wanted)
        except BadExposition as error:
            return _trouble(known, "unsupported", str(error)), None
        return self._names.fill(known, series, self._path), series


def _trouble(known: Engine, status: Status, problem: str) -> Engine:
    return structs.replace(known, status=status, problem=problem)
