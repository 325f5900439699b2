"""Engines that cannot run here: real local servers that answer as recorded, and fail the test when they are crawled."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from llmtop.probes.engines import ENGINES
from llmtop.probes.engines.contract import Endpoint, Host
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import Shape

from ..probes.conftest import Server

Body = bytes | str
"""Bytes are a body with status 200; a text is the status line of an answer: "404 Not Found"."""

ASKED_OF_ALL = frozenset({"/version", "/v1/models"})
"""What identification may ask of anybody, once each."""

FORBIDDEN = (
    "/health",
    "/health_generate",
    "/flush_cache",
    "/start_profile",
    "/stop_profile",
    "/release_memory_occupation",
    "/resume_memory_occupation",
    "/slow_down",
    "/freeze_gc",
    "/weights_checker",
    "/open_session",
    "/close_session",
    "/configure_logging",
    "/get_model_info",
    "/get_server_info",
    "/get_load",
    "/terminate",
    "/nodes/terminate_all",
    "/models?reload=1",
    "/upstream/",
    "/unload",
    "/api/generate",
    "/api/chat",
    "/api/embed",
    "/debug/",
    "/sleep",
    "/wake_up",
    "/reset_prefix_cache",
    "/collective_rpc",
    "/reset",
    "/load_model",
    "/api/extra/generate/check",
)
"""Paths that make some engine work, load, unload, log a warning, stop or tell what people wrote."""


class Emulated:
    """One emulated engine: its answers are facts, its server is real."""

    def __init__(self, answers: Mapping[str, Body], *, server: str | None, headers: Mapping[str, str]) -> None:
        self.answers = dict(answers)
        """May be changed while it runs."""
        self.not_found = b"{}"
        """The body of a 404: it tells HTTP libraries apart."""
        self._head = "".join(
            f"{name}: {value}\r\n" for name, value in {**({"server": server} if server else {}), **headers}.items()
        )
        self._server = Server(self._reply)
        self.url = self._server.url
        self.sources: list[EngineSource] = []

    @property
    def requests(self) -> list[str]:
        """First lines of all requests: "GET /version HTTP/1.1"."""
        return [request.partition("\r\n")[0] for request in self._server.requests]

    @property
    def heads(self) -> list[str]:
        """Whole heads of all requests."""
        return self._server.requests

    @property
    def paths(self) -> list[str]:
        return self._server.paths

    def source(
        self, *command: str, explicit: bool = True, api_key: str | None = None, host: Host | None = None
    ) -> EngineSource:
        """Reads it as the monitor does; `command` is the command line of the process that would listen there."""
        process = Process(2**22, command, command[0].rpartition("/")[2]) if command else None
        endpoint = Endpoint(url=self.url, process=process, explicit=explicit, host=host)
        self.sources.append(EngineSource(endpoint, interval=1.0, api_key=api_key))
        return self.sources[-1]

    def read(self, *command: str, explicit: bool = True, api_key: str | None = None) -> Engine:
        """One reading."""
        return once(self.source(*command, explicit=explicit, api_key=api_key))

    def check(self, expected: str | None) -> None:
        """Fails when anything was asked that the engine called `expected` may not be asked."""
        adapter = next((engine for engine in ENGINES if engine.name == expected), None)
        allowed: set[str] = {*ASKED_OF_ALL, *(adapter.PATHS if adapter else ())}
        for request, path in zip(self.requests, self.paths, strict=True):
            assert request.startswith("GET "), f"{request}: llmtop sends nothing but GET"
            assert path in allowed, f"{path} is not on the list of {expected}"
            assert not any(
                path.partition("?")[0] == bad.partition("?")[0] or (bad.endswith("/") and path.startswith(bad))
                for bad in FORBIDDEN
                if adapter is None or adapter.name not in HARMLESS.get(bad, ())
            ), f"{path} bites"
        assert self.paths.count("/v1/models") <= max(len(self.sources), 1), "GET /v1/models is not free: once"

    def close(self) -> None:
        self._server.close()

    def _reply(self, client: socket.socket, path: str) -> None:
        answer = self.answers.get(path, "404 Not Found")
        plain = self.not_found if answer == "404 Not Found" else b"{}"
        status, body = ("200 OK", answer) if isinstance(answer, bytes) else (answer, plain)
        head = f"HTTP/1.1 {status}\r\n{self._head}content-type: text/plain\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)


def once(source: EngineSource) -> Engine:
    """One reading of a source that must have one."""
    reading = source.read()
    assert isinstance(reading, Engine), reading
    return reading


HARMLESS: dict[str, tuple[str, ...]] = {
    "/health": ("mlx-lm", "oMLX", "transformers serve"),  # a plain status there; on SGLang it generates a token
}


class Emulate:
    """Starts emulated engines; checks at the end of the test what each was asked."""

    def __init__(self) -> None:
        self._all: list[tuple[str | None, Emulated]] = []

    def __call__(
        self,
        expected: str | None,
        answers: Mapping[str, Body],
        *,
        server: str | None = "uvicorn",
        headers: Mapping[str, str] | None = None,
    ) -> Emulated:
        """An engine that llmtop should take for `expected` (None: for no engine), with answers by path and query."""
        emulated = Emulated(answers, server=server, headers=headers or {})
        self._all.append((expected, emulated))
        return emulated

    def finish(self) -> None:
        for expected, emulated in self._all:
            emulated.close()
            emulated.check(expected)


@pytest.fixture
def emulate() -> Iterator[Emulate]:
    engines = Emulate()
    yield engines
    engines.finish()


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two small models for real engines."""
    shape = Shape(width=256, layers=4, heads=8, kv_heads=8, head_width=32, feed_forward=512, vocabulary=2000)
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("one.gguf", "two.gguf")):
        write(folder / name, shape, quantization="Q8_0", seed=seed)
    return folder / "one.gguf", folder / "two.gguf"
