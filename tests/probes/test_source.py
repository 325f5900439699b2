"""One endpoint, whatever it does: a clear problem on its row, and nothing else disturbed."""

import socket
import time
from pathlib import Path

import pytest
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.source import EngineSource
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, Gone
from llmtop.tui.live import Live

from .conftest import Serve, http

DATA = Path(__file__).parent.parent / "data" / "llama-server"
PROPS = (DATA / "idle.props.json").read_bytes()
SLOTS = (DATA / "decoding.slots.json").read_bytes()
LLAMA = Process(
    pid=2**22, command=("/opt/llama-server", "-m", "x.gguf", "-t", "3", "-ctk", "q8_0"), name="llama-server"
)


def source(url: str, process: Process | None = None, *, explicit: bool = True) -> EngineSource:
    return EngineSource(Endpoint(url=url, process=process, explicit=explicit), interval=1.0)


def read(url: str, process: Process | None = None) -> Engine:
    reading = source(url, process).read()
    assert isinstance(reading, Engine)
    return reading


def test_a_busy_llama_server(serve: Serve) -> None:
    server = serve.paths({"/version": "404 Not Found", "/props": PROPS, "/slots": SLOTS}, server="llama.cpp")
    reading = read(server.url, LLAMA)
    assert (reading.engine, reading.status, reading.requests_running) == ("llama.cpp", "ok", 2.0)
    assert reading.context_tokens == 66 + 1452
    assert reading.threads == 3
    assert reading.kv_bytes_per_element == (34 / 32 + 2.0) / 2
    assert "/metrics" not in server.paths, "reading it falsifies two gauges of others"


def test_loading_is_a_status(serve: Serve) -> None:
    """The body is the one that llama-server sends (recorded)."""
    body = b'{"error":{"message":"Loading model","type":"unavailable_error","code":503}}'
    server = serve(http(body, "503 Service Unavailable", "llama.cpp"))
    assert read(server.url).status == "loading"


def test_a_sleeping_server_is_not_woken(serve: Serve) -> None:
    props = PROPS.replace(b'"is_sleeping":false', b'"is_sleeping":true')
    server = serve.paths({"/props": props, "/slots": SLOTS}, server="llama.cpp")
    watched = source(server.url)
    for _ in range(3):
        reading = watched.read()
        assert isinstance(reading, Engine) and reading.status == "sleeping"
    assert "/slots" not in server.paths


ROUTER = {
    "/props": b'{"role":"router","build_info":"b1"}',
    "/models": b'{"data":[{"id":"a b","status":{"value":"loaded"}},{"id":"c","status":{"value":"unloaded"}}]}',
    "/props?model=a%20b&autoload=false": PROPS,
    "/slots?model=a%20b&autoload=false": SLOTS,
}
"""Built from the facts of llama.cpp's tools/server README (2026-08)."""


def test_a_server_found_asleep_is_seen_to_wake(serve: Serve) -> None:
    bodies: dict[str, bytes | str] = {"/props": PROPS.replace(b'"is_sleeping":false', b'"is_sleeping":true')}
    server = serve.paths(bodies, server="llama.cpp")
    watched = source(server.url)
    reading = watched.read()
    assert isinstance(reading, Engine)
    assert reading.status == "sleeping"
    bodies |= {"/props": PROPS, "/slots": SLOTS}
    reading = watched.read()
    assert isinstance(reading, Engine)
    assert reading.status == "ok"


def test_a_router_here_leaves_its_models_to_their_own_rows(serve: Serve) -> None:
    server = serve.paths(ROUTER, server="llama.cpp")
    reading = read(server.url, LLAMA)
    assert reading.problem == "a router of 2 models: each has a row of its own"
    assert set(server.paths) <= {"/version", "/props", "/models"}


def test_a_router_elsewhere_is_read_through_and_never_made_to_load(serve: Serve) -> None:
    server = serve.paths(ROUTER, server="llama.cpp")
    reading = read(server.url)
    assert (reading.status, reading.requests_running) == ("ok", 2.0)
    assert not [path for path in server.paths if "model=" in path and "autoload=false" not in path]
    assert not [path for path in server.paths if "model=c" in path]


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        (b"<html>not json", "not what llama-server sends"),
        (b'[{"id":"zero"}]', "not what llama-server sends"),
        (b"[" * 100_000, "not what llama-server sends"),
        (b'[{"id":0,"is_processing":', "not what llama-server sends"),
        ("500 Internal Server Error", "answers 500 to GET /slots"),
    ],
)
def test_slots_that_are_none_are_one_clear_problem(serve: Serve, slots: bytes | str, words: str) -> None:
    server = serve.paths({"/props": PROPS, "/slots": slots}, server="llama.cpp")
    reading = read(server.url)
    assert reading.status == "unsupported"
    assert reading.problem is not None and words in reading.problem


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("127.0.0.1:8080", "unsupported", "try --url http://127.0.0.1:8080"),
        ("http://127.0.0.1:1", "unreachable", "nothing listens on 127.0.0.1:1"),
        ("ftp://host", "unsupported", "http"),
        ("http://", "unsupported", "no host"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_clear_problem(url: str, status: str, words: str) -> None:
    reading = read(url)
    assert reading.status == status
    assert reading.problem is not None and words in reading.problem


def test_a_stranger_is_shown_only_if_a_person_named_it(serve: Serve) -> None:
    server = serve.paths({"/version": b"hello"})
    assert read(server.url).status == "unsupported"
    assert isinstance(source(server.url, explicit=False).read(), Gone)


def test_a_server_in_trouble_is_quoted(serve: Serve) -> None:
    assert read(serve(http(b"x", "500 Oops")).url).problem == "answers 500 to GET /version"
    assert read(serve(http(b"x", "502 Bad Gateway")).url).problem == "answers 502 to GET /version"


def test_a_port_that_may_become_an_engine_is_waited_for_in_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert source(f"http://127.0.0.1:{port}", explicit=False).read() is None


def test_a_key_goes_to_engines_not_to_strangers(serve: Serve) -> None:
    server = serve.paths({"/version": b"hello"})
    endpoint = Endpoint(url=server.url)
    EngineSource(endpoint, interval=1.0, api_key="sk-secret").read()
    assert not any("sk-secret" in request for request in server.requests)
    EngineSource(Endpoint(url=server.url, explicit=True), interval=1.0, api_key="sk-secret").read()
    assert any("sk-secret" in request for request in server.requests)


def test_engines_that_hang_drip_and_lie_disturb_no_other(serve: Serve) -> None:
    def hang(_client: socket.socket, _path: str) -> None:
        time.sleep(30)

    def drip(client: socket.socket, _path: str) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nserver: llama.cpp\r\n" * 100:
            client.sendall(bytes([letter]))
            time.sleep(0.05)

    good = serve.paths({"/props": PROPS, "/slots": SLOTS}, server="llama.cpp")
    bad = [serve(hang), serve(drip), serve(b"SSH-2.0-OpenSSH_9.2\r\n"), serve(http(b"x", "500 Oops"))]
    live = Live([good.url, *(server.url for server in bad)], interval=0.2, discover=False)
    live.start()
    try:
        waits: list[float] = []
        for _ in range(40):
            started = time.monotonic()
            live.snapshot()
            waits.append(time.monotonic() - started)
            time.sleep(0.1)
        views = {view.url: view for view in live.snapshot().engines}
    finally:
        live.stop()
    assert views[good.url].status == "ok"
    assert max(waits) < 0.05
    assert len([path for path in good.paths if path == "/slots"]) >= 10
    for server in bad:
        assert views[server.url].problem, server.url
        assert views[server.url].decode_tps is None
