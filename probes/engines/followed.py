"""Engines that a host names by their URLs, where they are no children of its own on this machine: containers."""

from collections.abc import Mapping

from msgspec import structs

from ..fetch import Fetch, FetchError
from ..local import is_local
from ..sample import Engine, ModelFacts
from .contract import Endpoint, EngineAdapter, Seen
from .llamarouter import together


class Followed:
    """Reads engines of this machine at the addresses that their host tells, as any engine is read."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._is_here = endpoint.process is not None or is_local(endpoint.url)
        self._adapters: dict[str, EngineAdapter] = {}

    def read(self, places: Mapping[str, str]) -> Engine | None:
        """One reading over the engines that answer; None where none does, or their machine is another one.

        Args:
            places: the names of the models by the URLs of their engines.
        """
        here = {url: name for url, name in places.items() if is_local(url)} if self._is_here else {}
        self._adapters = {url: adapter for url, adapter in self._adapters.items() if url in here}
        readings = [reading for url, name in here.items() if (reading := self._read(url, name))]
        if len(readings) < 2:
            return readings[0] if readings else None
        return structs.replace(readings[0], **together(readings))

    def _read(self, url: str, name: str) -> Engine | None:
        try:
            adapter = self._adapters.get(url) or _identify(url)
            if adapter is None:
                return None
            self._adapters[url] = adapter
            reading = adapter.read()
        except FetchError:
            self._adapters.pop(url, None)
            return None
        known = reading.model or ModelFacts(name=name, source="the engine before it")
        return structs.replace(reading, model=structs.replace(known, name=name))


def _identify(url: str) -> EngineAdapter | None:
    from . import ENGINES, HOSTS  # noqa: PLC0415  # they import this module

    fetch = Fetch(url)
    seen = Seen(Endpoint(url=fetch.url), fetch)
    plain = (engine for engine in ENGINES if engine not in HOSTS or engine.name == "llama.cpp")
    return next((adapter for engine in plain if (adapter := engine.match(seen, fetch))), None)
