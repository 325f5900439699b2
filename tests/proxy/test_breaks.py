"""What goes wrong on one side reaches the other, and nothing else does."""

import asyncio
import hashlib
import os
import socket
import threading
import time
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest
from llmtop.probes.address import Address
from llmtop.probes.proxy import exchange
from llmtop.probes.proxy.place import Place
from llmtop.probes.proxy.server import Proxy
from llmtop.probes.publish.publisher import Publisher

from .commanded import Command
from .corpus import POST, SSE, chunk
from .passing import wait_until
from .running import proxy_before
from .wire import Await, End, Engine, Pause, Reset, Send, Step, play

ASKED = POST + b"Content-Length: 2\r\n\r\n{}"
EVENT = chunk(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')


def slowly(seconds: float) -> list[Step]:
    """One event, and a pause."""
    return [Send(EVENT), Pause(seconds)]


@pytest.mark.parametrize("last", [End(), Reset()], ids=["ended", "killed"])
def test_an_engine_that_dies_is_seen_as_broken(last: Step) -> None:
    engine = Engine([Await(len(ASKED)), Send(SSE), *slowly(0.01) * 5, last])
    with proxy_before(engine.url) as proxy:
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=5)
        connection.request("POST", "/v1/chat/completions", b"{}")
        with pytest.raises(IncompleteRead):
            connection.getresponse().read()
        connection.close()
        engine.close()
        assert proxy.row.generation_tokens.total == 5
        assert not proxy.row.under_way()


@pytest.mark.parametrize("last", [End(), Reset()], ids=["closes", "resets"])
def test_a_client_that_goes_stops_the_engine(last: Step) -> None:
    engine = Engine([Await(len(ASKED)), Send(SSE), *slowly(0.02) * 500])
    with proxy_before(engine.url) as proxy:
        sock = socket.create_connection(("127.0.0.1", proxy.port))
        sock.sendall(ASKED)
        assert sock.recv(10)
        began = time.monotonic()
        if isinstance(last, Reset):
            threading.Thread(target=play, args=(sock, [last])).start()
        else:
            sock.close()
        wait_until(lambda: bool(engine.heard))
        assert time.monotonic() - began < 1
        assert engine.heard[0].ending == "reset"
        wait_until(lambda: not proxy.row.under_way())
        engine.close()


def test_an_engine_that_says_nothing_yet_hears_at_once_that_the_client_is_gone() -> None:
    engine = Engine([Await(len(ASKED)), Await(len(ASKED) + 1)])
    with proxy_before(engine.url) as proxy:
        sock = socket.create_connection(("127.0.0.1", proxy.port))
        sock.sendall(ASKED)
        wait_until(lambda: bool(proxy.publisher.counts.rows()))
        sock.close()
        wait_until(lambda: bool(engine.heard), 1)
        assert engine.heard[0].ending == "end"
        wait_until(lambda: not proxy.row.under_way())
        engine.close()


def test_a_reset_reaches_an_engine_that_says_nothing_yet() -> None:
    engine = Engine([Await(len(ASKED)), Await(len(ASKED) + 1)])
    with proxy_before(engine.url) as proxy:
        play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(ASKED), Pause(0.1), Reset()])
        wait_until(lambda: bool(engine.heard), 1)
        assert engine.heard[0].ending == "reset"
        engine.close()


def test_what_came_before_a_reset_reaches_a_slow_client() -> None:
    answer = b"HTTP/1.0 200 OK\r\n\r\n" + os.urandom(200_000)
    engine = Engine([Await(len(ASKED)), Send(answer), Pause(0.3), Reset()])
    with proxy_before(engine.url) as proxy, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", proxy.port))
        heard = play(client, [Send(ASKED), Pause(1)])
        assert heard.data == answer
        assert heard.ending == "reset"
        engine.close()


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_no_engine_is_one_line_of_json(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with proxy_before(f"http://127.0.0.1:{port}") as proxy:
        for _ in range(2):
            connection = HTTPConnection("127.0.0.1", proxy.port, timeout=5)
            connection.request(method, "/v1/chat/completions", b"x" * (1 << 20) if method == "POST" else None)
            answer = connection.getresponse()
            assert answer.status == 502
            line = b"" if method == "HEAD" else (
                b'{"error":{"message":"llmtop proxy: nothing listens on 127.0.0.1:%d",'
                b'"type":"upstream_unreachable","code":502}}\n' % port
            )  # fmt: skip
            assert answer.read() == line
            connection.close()
        assert proxy.said == [f"nothing listens on 127.0.0.1:{port}"]
        assert not proxy.publisher.counts.rows()


def test_an_engine_that_comes_later_is_used_then() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with proxy_before(f"http://127.0.0.1:{port}") as proxy:
        assert b"502" in play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(ASKED)]).data
        with socket.create_server(("127.0.0.1", port)) as listener:
            client = socket.create_connection(("127.0.0.1", proxy.port))
            client.sendall(ASKED)
            assert (
                play(listener.accept()[0], [Await(len(ASKED)), Send(b"HTTP/1.0 200 OK\r\n\r\n"), End()]).data == ASKED
            )
            assert play(client, []).data == b"HTTP/1.0 200 OK\r\n\r\n"


def test_two_hundred_streams_at_once() -> None:
    streams, events = 200, 20
    whole = SSE + EVENT * events + b"0\r\n\r\n"
    engine = Engine([Await(len(ASKED)), Send(SSE), *slowly(0.05) * events, Send(b"0\r\n\r\n"), End()])
    heard: list[bytes] = []

    def one(port: int) -> None:
        heard.append(play(socket.create_connection(("127.0.0.1", port)), [Send(ASKED)]).data)

    with proxy_before(engine.url) as proxy:
        clients = [threading.Thread(target=one, args=(proxy.port,)) for _ in range(streams)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(60)
        assert heard == [whole] * streams
        assert proxy.row.generation_tokens.total == streams * events
        assert proxy.row.requests.total == streams
        wait_until(lambda: not proxy.proxy.links)
        engine.close()


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_large_upload_passes_through_little_memory() -> None:
    size, block = 64 << 20, os.urandom(1 << 20)
    head = b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    digests: list[str] = []

    def serve(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            digest, left = hashlib.sha256(), len(head) + size
            while left and (data := sock.recv(1 << 16)):
                digest.update(data)
                left -= len(data)
            digests.append(digest.hexdigest())
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener, Command(listener.getsockname()[1]) as command:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        before, digest = resident_bytes(command.pid), hashlib.sha256(head)
        most = before
        with socket.create_connection(("127.0.0.1", command.port)) as client:
            client.sendall(head)
            for _ in range(size // len(block)):
                client.sendall(block)
                digest.update(block)
                most = max(most, resident_bytes(command.pid))
            assert client.recv(15) == b"HTTP/1.1 200 OK"
        thread.join(10)
    assert digests == [digest.hexdigest()]
    assert most - before < 8 << 20


def test_a_slow_reader_slows_the_engine_and_fills_no_memory() -> None:
    size = 64 << 20
    sent: list[int] = []

    def serve(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1 << 16)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size >> 16):
                sock.sendall(bytes(1 << 16))
                sent.append(1 << 16)

    with socket.create_server(("127.0.0.1", 0)) as listener, Command(listener.getsockname()[1]) as command:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        before = resident_bytes(command.pid)
        with socket.create_connection(("127.0.0.1", command.port)) as client:
            client.sendall(ASKED)
            time.sleep(1)
            assert sum(sent) < size // 2  # what the kernel holds for three sockets
            assert resident_bytes(command.pid) - before < 8 << 20
            got = 0
            while got < size and (data := client.recv(1 << 20)):
                got += len(data)
            assert got >= size
        thread.join(10)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_proxy_does_not_ask_itself(host: str) -> None:
    proxy = Proxy(Address.parse("http://localhost:1"), Publisher("proxy"), print)
    with pytest.raises(ValueError, match="where the proxy itself listens"):
        asyncio.run(proxy.start(Place(host, 1)))


def test_a_proxy_does_not_ask_for_its_own_counts() -> None:
    publisher = Publisher("proxy")
    publisher.start()
    try:
        assert publisher.url is not None
        with proxy_before(publisher.url, publisher=publisher) as proxy:
            answer = play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(ASKED)]).data
            assert b"502 Bad Gateway" in answer
            assert proxy.said == [f"{publisher.url} is this proxy itself"]
    finally:
        publisher.stop()


def test_an_error_in_counting_is_no_error_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(exchange, "tell", fail)
    whole = SSE + EVENT * 5 + b"0\r\n\r\n"
    engine = Engine([Await(len(ASKED)), Send(SSE), *slowly(0.01) * 5, Send(b"0\r\n\r\n"), End()])
    with proxy_before(engine.url) as proxy:
        assert play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(ASKED)]).data == whole
        engine.close()
        assert proxy.row.generation_tokens.total == 0
        assert not proxy.row.under_way()
