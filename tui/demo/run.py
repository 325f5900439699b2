"""The demo: a model, an engine that serves it, and clients that keep it busy."""

import http.client
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from ...probes.hardware.cpu.facts import cpu_facts
from ...probes.hardware.cpu.usable import working_cores
from ...probes.hardware.host.main_memory import MainMemory
from ...probes.models import BadModelFile, facts
from .child import Child
from .choice import SIZES, Size, choose_size, named_size
from .error import DemoError, missing_extra
from .model import discard_remains, write
from .progress import show_progress, show_status
from .server import READY
from .weights import tensors

_CONTEXT = 2048
_PATIENCE = 180.0
_STEP = 0.05


class Demo:
    """Runs while the context is open. Whatever ends this process ends the engine and the clients too.

    Enter it on a thread that lives on: Linux ends the children with the thread that started them.

    Attributes:
        url: of the engine, once entered.
        size: of the model, once entered.
        model: path of the model, once entered.
    """

    url: str
    size: Size
    model: Path

    def __init__(
        self,
        *,
        size: str | None = None,
        streams: int = 2,
        threads: int | None = None,
        parallel: int = 2,
        before_load: Callable[[], None] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Prepares nothing yet.

        Args:
            size: of the model, as "1B"; None chooses one for this machine.
            streams: clients at once.
            threads: of the engine; None means half of the cores, four at most.
            parallel: requests that the engine serves at once.
            before_load: called while the machine is still quiet.
            folder: of the model; None means the user's cache.
        """
        self._wanted = size
        self._streams = streams
        self._threads = threads
        self._parallel = parallel
        self._before_load = before_load
        self._folder = folder
        self._children = ExitStack()

    def __enter__(self) -> Self:
        """Starts everything; returns when the engine answers and the clients are on their way.

        Raises:
            DemoError: it cannot be done.
        """
        if find_spec("xllamacpp") is None or find_spec("gguf") is None:
            raise missing_extra()
        with ExitStack() as children:
            folder = self._folder or _cache_folder()
            self.size = named_size(self._wanted) if self._wanted else _size_for_this_machine(folder)
            if self._before_load is not None:
                self._before_load()
            self.model = _model(folder, self.size)
            with show_status("starting llama.cpp"):
                self.url = self._serve(children, folder)
            load = Child("load", ["--url", self.url, "--streams", str(self._streams)], folder)
            children.enter_context(load)
            self._children = children.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._children.close()

    def _serve(self, children: ExitStack, folder: Path) -> str:
        """Starts the engine and waits until it is well. Returns its URL."""
        options = {
            "model": self.model,
            "threads": self._threads or min(max(working_cores() // 2, 1), 4),
            "parallel": self._parallel,
            "ctx": _CONTEXT * self._parallel,
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        server = children.enter_context(Child("server", arguments, folder))
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if server.ended:
                raise DemoError(f"llama.cpp does not start: {server.reason()}")
            url = server.said(READY)
            if url and _is_well(url):
                return url
            time.sleep(_STEP)
        raise DemoError(f"llama.cpp does not start: no answer for {_PATIENCE:.0f} s")


def _cache_folder() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415

    return user_cache_path("llmtop") / "demo"


def _size_for_this_machine(folder: Path) -> Size:
    memory = MainMemory().read()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    ready = [(folder / size.file_name).stat().st_size for size in SIZES if (folder / size.file_name).is_file()]
    free_memory = memory.total_bytes - (memory.used_bytes or 0)
    return choose_size(free_memory, cpu_facts().cache_bytes, free + max(ready, default=0), working_cores())


def _model(folder: Path, size: Size) -> Path:
    """The model's file: the one of last time if it is whole, else a new one."""
    path = folder / size.file_name
    expected = sum(tensor.bytes for tensor in tensors(size.shape, size.quantization))
    try:
        found = facts(str(path))
    except BadModelFile:
        found = None
    if found is None or found.weight_bytes != expected:
        with show_progress(f"writing a random {size.name.upper()} model") as progress:
            write(path, size.shape, quantization=size.quantization, progress=progress, name=f"demo {size.name.upper()}")
    else:
        discard_remains(path)
    return path


def _is_well(url: str) -> bool:
    site = urlsplit(url)
    connection = http.client.HTTPConnection(site.hostname or "", site.port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
