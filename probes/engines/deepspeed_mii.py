"""DeepSpeed-MII, its server in the manner of OpenAI (mii/entrypoints/openai_api_server.py): no counter.

Its REST gateway ends the deployment on `GET /terminate`, and has nothing to read.
"""

from typing import ClassVar, Self

from msgspec import structs

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded


class DeepSpeedMii(Uncounted):
    """One of them."""

    name: ClassVar[str] = "DeepSpeed-MII"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    PATHS: ClassVar[frozenset[str]] = frozenset({"/v1/models"})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`python -m mii.entrypoints.…`."""
        return any(word.startswith("mii.entrypoints.") or "/mii/entrypoints/" in word for word in process.command[:6])

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line, or by the owner of its models."""
        process = seen.endpoint.process
        if not (process and cls.claims(process)) and "deepspeed-mii" not in seen.owners:
            return None
        return cls(seen, fetch, lambda: loaded(seen), "/v1/models")

    def read(self) -> Engine:
        """One reading, with the devices that share each layer. Raises FetchError."""
        return structs.replace(super().read(), tensor_parallel=self._endpoint.number("--tensor-parallel"))


def loaded(seen: Seen) -> Loaded | None:
    """Its one model."""
    served = next(iter(seen.served), None)
    named = served.root or served.id if served else seen.endpoint.option("--model")
    if named is None:
        return None
    source = "GET /v1/models" if served else "command line"
    return Loaded(name=named.rstrip("/").rpartition("/")[2], source=source, root=named)
