"""`llmtop proxy` as people run it."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from llmtop.probes.publish.notice import announced

from .commanded import Command
from .corpus import POST, SSE, chunk
from .wire import Await, End, Engine, Pause, Send, play

ASKED = POST + b"Content-Length: 2\r\n\r\n{}"
EVENT = chunk(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n')


def refused(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "llmtop", "proxy", *options], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


def test_it_says_where_it_is_and_is_found_and_sums_up() -> None:
    engine = Engine([Await(len(ASKED)), Send(SSE), Send(EVENT * 3 + b"0\r\n\r\n"), End()])
    with Command(engine.port) as command:
        assert command.lines[0] == f"listening on http://127.0.0.1:{command.port}, relaying to {engine.url}\n"
        assert f"http://127.0.0.1:{command.port}" in command.lines[1]
        assert command.lines[2].endswith("llmtop finds them by itself; Ctrl-C ends\n")
        assert any(n.pid == command.pid and f"{n.url}/metrics" == command.metrics for n in announced())
        play(socket.create_connection(("127.0.0.1", command.port)), [Send(ASKED)])
        text = urllib.request.urlopen(command.metrics).read().decode()
        assert f'llmtop_observed_generation_tokens_total{{engine="",model="",upstream="{engine.url}"}} 3\n' in text
        command.interrupt()
        code, out, err = command.end()
        assert (code, err) == (0, "")
        assert out.startswith("1 requests, 3 tokens generated (~3 of them estimated), 0 prompt tokens, ")
        assert out.count("\n") == 1
        assert not any(notice.pid == command.pid for notice in announced())
    engine.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_answers_end(number: int) -> None:
    engine = Engine(
        [Await(len(ASKED)), Send(SSE), Await(len(ASKED) + 1), Pause(0.5), Send(EVENT + b"0\r\n\r\n"), End()]
    )
    with Command(engine.port) as command:
        client = socket.create_connection(("127.0.0.1", command.port))
        idle = socket.create_connection(("127.0.0.1", command.port))
        client.sendall(ASKED)
        assert client.recv(len(SSE)) == SSE
        command.interrupt(number)
        client.sendall(b"!")
        assert play(client, []).data == EVENT + b"0\r\n\r\n"
        code, out, err = command.end()
        assert code == 0
        assert "1 requests, 1 tokens" in out
        assert err == "llmtop: 1 answers are still coming: waiting for them; Ctrl-C again ends at once\n"
        idle.close()
    engine.close()


def test_the_second_signal_does_not() -> None:
    engine = Engine([Await(len(ASKED)), Send(SSE), Await(len(ASKED) + 1)])
    with Command(engine.port) as command:
        client = socket.create_connection(("127.0.0.1", command.port))
        client.sendall(ASKED)
        assert client.recv(len(SSE)) == SSE
        command.interrupt()
        assert command.is_running
        time.sleep(0.3)
        command.interrupt()
        assert command.end()[0] == 0
        assert play(client, []).ending == "reset"
    engine.close()


def test_it_warns_when_others_can_reach_it() -> None:
    with Command(1, "--listen", "0.0.0.0:0") as command:
        command.interrupt()
        _, _, err = command.end()
    assert "warning: 0.0.0.0:0 is open to others than this machine" in err


@pytest.mark.parametrize(("options", "code", "line"), [
    (("--upstream", "localhost:1"), 2, "try --upstream http://localhost:1"),
    (("--upstream", "ftp://x"), 2, "nothing that engines speak"),
    (("--upstream", "http://u:p@x"), 2, "no user or password"),
    (("--upstream", "http://127.0.0.1:8484"), 2, "it would ask itself"),
    (("--upstream", "http://x", "--listen", "here"), 2, "'here' is no HOST:PORT"),
    (("--upstream", "http://x", "--listen", "1:2:3"), 2, "'1:2:3' is no HOST:PORT"),
    (("--upstream", "http://x", "--listen", "99999"), 2, "'99999' is no HOST:PORT"),
    (("--upstream", "http://x", "--metrics", "0.0.0.0:9"), 2, "published on 127.0.0.1 only"),
    (("--upstream", "http://x", "--metrics", "77", "--listen", "77"), 2, "both name port 77"),
    (("--upstream", "http://x", "--listen", "nowhere.invalid:8484"), 1, "--listen nowhere.invalid:8484: "),
])  # fmt: skip
def test_what_cannot_be_is_one_line(options: tuple[str, ...], code: int, line: str) -> None:
    returned, err = refused(*options)
    assert (returned, line in err) == (code, True), err


@pytest.mark.parametrize("option", ["--listen", "--metrics"])
def test_a_port_that_is_taken_is_one_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        site = f"127.0.0.1:{taken.getsockname()[1]}"
        other = ("--metrics", "0") if option == "--listen" else ("--listen", "0")
        code, err = refused("--upstream", "http://127.0.0.1:1", option, site, *other)
    assert (code, err) == (1, f"llmtop: {option} {site}: address already in use\n")
