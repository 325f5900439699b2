"""llamafile: llama.cpp's server and a model in one file, read like llama.cpp. Its server "v2" tells nothing.

Facts of github.com/mozilla-ai/llamafile: from 0.10 on it is llama.cpp's server with a few options of its own
(llamafile/args.cpp), before it was a fork of it. `--v2` of 0.9 starts another one, whose Server header is
"llamafile/VERSION" (llamafile/server/client.cpp) and which has neither /slots nor /metrics.
"""

from typing import ClassVar, Self

from msgspec import structs

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .contract import Seen, no_counter
from .llamacpp import LlamaCpp

_SECOND = "llamafile/"


class Llamafile(LlamaCpp):
    """One llamafile."""

    name: ClassVar[str] = "llamafile"
    _second: str | None = None
    """Version of the server that tells nothing."""

    @classmethod
    def claims(cls, process: Process) -> bool:
        """`model.llamafile`, `llamafile -m FILE`, also behind the loader of Actually Portable Executables."""
        words = [
            word.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe") for word in process.command[:3]
        ]
        is_loaded = process.program == "ape" or process.program.startswith(("ape-", ".ape-"))
        return any(
            word == "llamafile" or word.startswith("llamafile-") or word.endswith(".llamafile")
            for word in (words if is_loaded else words[:1])
        )

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """None starts another."""
        del child, parent
        return False

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the Server header, and the command line where that is llama.cpp's."""
        server, process = seen.server or "", seen.endpoint.process
        if server.startswith(_SECOND):
            adapter = cls(seen.endpoint, fetch)
            adapter._second = server.removeprefix(_SECOND)
            return adapter
        is_claimed = process is not None and cls.claims(process)
        return cls(seen.endpoint, fetch) if is_claimed and server.startswith("llama.cpp") else None

    def read(self) -> Engine:
        """One reading; raises FetchError when the server cannot be asked."""
        if self._second is None:
            return super().read()
        return structs.replace(self._reading(status="ok"), version=self._second, problem=no_counter(self._endpoint.url))
