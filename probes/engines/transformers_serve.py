"""`transformers serve`: no counter; its list of models is what lies in the cache, not what is loaded."""

from itertools import pairwise
from typing import ClassVar, Self

from ..fetch import Fetch
from ..process import Process
from .contract import Seen
from .uncounted import Uncounted
from .weights import Loaded

_WITH_VALUE = frozenset(
    {"--device", "--dtype", "--host", "--port", "--attn-implementation", "--log-level", "--quantization"}
    | {"--model-timeout", "--default-seed", "--cb-max-memory-percent", "--cb-num-blocks", "--cb-block-size"}
)
"""Options whose value stands in a word of its own (transformers/cli/serve.py, 5.19)."""


class TransformersServe(Uncounted):
    """One of them."""

    name: ClassVar[str] = "transformers serve"
    ports: ClassVar[tuple[int, ...]] = (8000,)
    PATHS: ClassVar[frozenset[str]] = frozenset({"/health"})

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`transformers serve`."""
        words = [word.replace("\\", "/").rpartition("/")[2] for word in process.command[:6]]
        return ("transformers", "serve") in pairwise(words)

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the command line: over HTTP nothing is its own."""
        process = seen.endpoint.process
        if process is None or not cls.claims(process):
            return None
        return cls(seen, fetch, lambda: loaded(process), "/health")


def loaded(process: Process) -> Loaded | None:
    """The model of the command line; without one it is loaded by the name in each request."""
    named = process.option("--force-model") or _positional(process)
    if named is None:
        return None
    return Loaded(
        name=named.rstrip("/").rpartition("/")[2],
        source="command line",
        root=named,
        quantization=process.option("--quantization"),
        dtype=process.option("--dtype"),
    )


def _positional(process: Process) -> str | None:
    words = list(process.command)
    words = words[words.index("serve") + 1 :] if "serve" in words else []
    for before, word in zip(["", *words], words, strict=False):
        if not word.startswith("-") and before.replace("_", "-") not in _WITH_VALUE:
            return word
    return None
