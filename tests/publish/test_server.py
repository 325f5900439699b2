"""The server: its two paths, what it refuses, and that nobody can hold it."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from llmtop.probes import VERSION
from llmtop.probes.fetch import Fetch
from llmtop.probes.publish.counts import Counts
from llmtop.probes.publish.request import Request
from llmtop.probes.publish.server import MOST_CONNECTIONS, Server
from llmtop.probes.publish.text import exposition

from .reading import get, metrics, parse, total

LABELS = {"engine", "model", "upstream"}


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def server(counts: Counts) -> Iterator[Server]:
    server = Server(counts, "proxy")
    yield server
    server.stop()


def test_the_two_paths(server: Server, counts: Counts) -> None:
    counts.row("vLLM", "small")
    status, headers, body = get(server.url, "/version")
    assert (status, headers["Server"]) == (200, "llmtop")
    assert json.loads(body) == {"name": "llmtop", "version": VERSION, "observer": "proxy"}
    status, headers, body = get(server.url, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'engine="vLLM"' in body


@pytest.mark.parametrize("path", ["/", "/v1/models", "/metrics/", "/metrics?a=1", "/../etc/passwd"])
def test_nothing_else(server: Server, path: str) -> None:
    assert get(server.url, path)[0] == 404


def test_the_monitor_reads_it(server: Server, counts: Counts) -> None:
    Request(counts.row("x")).tokens(3)
    answer = Fetch(server.url).get("/metrics")
    assert (answer.status, answer.server) == (200, "llmtop")
    assert b'llmtop_observed_generation_tokens_total{engine="x",model="",upstream=""} 3\n' in answer.body


def test_a_page_that_points_its_own_name_here_is_refused(server: Server) -> None:
    port = urlsplit(server.url).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}", "127.0.0.1"):
        assert get(server.url, "/metrics", Host=host)[0] == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", ""):
        assert get(server.url, "/metrics", Host=host)[0] == 403


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_it_listens_on_loopback_alone(server: Server) -> None:
    assert urlsplit(server.url).hostname == "127.0.0.1"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    listening = {where for _, where, _, state, *_ in sockets if state == "0A"}
    port = f":{urlsplit(server.url).port:04X}"
    assert [where for where in listening if where.endswith(port)] == [f"0100007F{port}"]


def test_a_taken_port_is_told(server: Server, counts: Counts) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(counts, "hook", urlsplit(server.url).port or 0)


def test_it_can_be_stopped(counts: Counts) -> None:
    server = Server(counts, "hook")
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        get(server.url, "/version")


@pytest.mark.parametrize(
    "nonsense", [b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n"]
)
def test_nonsense_does_no_harm_and_prints_nothing(
    server: Server, nonsense: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as sock:
        sock.sendall(nonsense)
        sock.shutdown(socket.SHUT_WR)
        assert b"llmtop_observed" not in sock.recv(1 << 16)
    assert get(server.url, "/version")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_silent_clients_hold_it_for_a_few_seconds_only(server: Server) -> None:
    where = urlsplit(server.url)
    with ExitStack() as held:
        for _ in range(MOST_CONNECTIONS * 2):
            held.enter_context(socket.create_connection((where.hostname or "", where.port or 0)))
        deadline = time.monotonic() + 20
        while True:
            try:
                assert get(server.url, "/version")[0] == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_the_text_is_what_prometheus_reads(counts: Counts) -> None:
    row = counts.row("LM Studio", 'a "model"\\of\nlines\x1b[31m', "http://127.0.0.1:1234")
    row.identify(path="/models/a", quantization="Q4_K_M", version="0.4")
    row.identify(version="0.5")
    running = Request(row, streams=2)
    running.prompt(20, cached=5)
    running.tokens(4, estimated=True)
    Request(row)
    found = parse(exposition(counts, "hook").decode())
    [(info, one)] = found["llmtop_observed_info"]
    assert one == 1
    assert info == {
        "observer": "hook",
        "engine": "LM Studio",
        "model": 'a "model"\\of?lines?[31m',
        "upstream": "http://127.0.0.1:1234",
        "path": "/models/a",
        "quantization": "Q4_K_M",
        "version": "0.5",
        "pid": str(os.getpid()),
    }
    for name, expected in {
        "generation_tokens_total": 4,
        "prompt_tokens_total": 20,
        "cached_tokens_total": 5,
        "requests_total": 0,
        "requests_running": 3,
        "prefilling": 1,
        "context_tokens": 24,
        "estimated_tokens": 4,
        "time_to_first_token_seconds_count": 2,
        "time_per_output_token_seconds_count": 0,
    }.items():
        assert total(found, name) == expected, name
        assert found[f"llmtop_observed_{name}"][0][0].keys() == LABELS
    assert "llmtop_observed_drafts_total" not in found
    assert found["gen_ai_server_time_to_first_token_seconds_count"][0][1] == 2
    assert found["gen_ai_server_time_per_output_token_seconds_sum"][0][1] == 0


def test_drafts_are_told_where_there_are_some(server: Server, counts: Counts) -> None:
    request = Request(counts.row("a"))
    counts.row("b")
    request.drafted(drafted=10, accepted=7)
    found = metrics(server.url)
    assert found["llmtop_observed_accepted_tokens_total"] == [({"engine": "a", "model": "", "upstream": ""}, 7)]
    assert "llmtop_observed_drafts_total" not in found
    request.drafted(drafts=3)
    assert total(metrics(server.url), "drafts_total") == 3
