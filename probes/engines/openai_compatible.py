"""A server that lists models as OpenAI does, and is none that is known: no more is said of it than that."""

from typing import ClassVar, Self

from ..fetch import Fetch
from ..process import Process
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded, listed


class OpenAiCompatible(Uncounted):
    """Anything else: it stands last."""

    name: ClassVar[str] = "OpenAI-compatible"
    ports: ClassVar[tuple[int, ...]] = ()
    PATHS: ClassVar[frozenset[str]] = frozenset({"/v1/models"})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """No command line is its own."""
        del process
        return False

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By a list of models that is not empty."""
        return cls(seen, fetch, lambda: loaded(seen), "/v1/models") if seen.served else None


def loaded(seen: Seen) -> Loaded | None:
    """The only model of the list; of several nobody knows which one runs."""
    return listed(seen.served[0]) if len(seen.served) == 1 else None
