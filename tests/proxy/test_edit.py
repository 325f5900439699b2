"""Requests change in one way only, and only for engines with a name or a path of their own."""

import socket

import pytest
from llmtop.probes.address import Address
from llmtop.probes.proxy.edit import editor

from .running import proxy_before
from .wire import Await, End, Engine, Send, play

HEAD = b"POST /v1/x?y=/z HTTP/1.1\r\nX-Host: a\r\nhoSt:   localhost:8484\r\nX: Host: b\r\n\r\n"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1/v1", "http://10.0.0.7:80"])
def test_engines_at_an_address_get_what_was_sent(url: str) -> None:
    assert editor(Address.parse(url)) is None


@pytest.mark.parametrize(("url", "target", "host"), [
    ("http://gpu.example:8000", b"/v1/x?y=/z", b"gpu.example:8000"),
    ("https://api.example/v1", b"/v1/x?y=/z", b"api.example"),
    ("https://127.0.0.1:8443", b"/v1/x?y=/z", b"127.0.0.1:8443"),
    ("https://api.example/a%20b", b"/a%20b/v1/x?y=/z", b"api.example"),
    ("http://127.0.0.1:1/pre", b"/pre/v1/x?y=/z", b"localhost:8484"),
])  # fmt: skip
def test_a_name_and_a_path_are_put_in(url: str, target: bytes, host: bytes) -> None:
    edit = editor(Address.parse(url))
    assert edit is not None
    expected = b"POST %s HTTP/1.1\r\nX-Host: a\r\nhoSt:   %s\r\nX: Host: b\r\n\r\n" % (target, host)
    assert edit(HEAD) == expected


def test_each_request_of_a_connection_is_edited_and_no_body_is() -> None:
    body = b"GET / HTTP/1.1\r\n\r\n"
    first = b"POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n%s\r\n0\r\n\r\n" % body
    second = b"PUT /2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    sent = first + second + first
    expected = sent.replace(b"POST /", b"POST /pre/").replace(b"PUT /", b"PUT /pre/")
    for size in (1, 7, 1000):
        engine = Engine([Await(len(expected)), End()])
        with proxy_before(engine.url + "/pre") as proxy:
            steps = [Send(sent[start : start + size]) for start in range(0, len(sent), size)]
            play(socket.create_connection(("127.0.0.1", proxy.port)), steps)
            engine.close()
        assert engine.heard[0].data == expected


def test_what_is_no_http_goes_on_unchanged() -> None:
    sent = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n\x00\x01 nonsense \r\n\r\n more"
    engine = Engine([Await(len(sent) + 4), End()])
    with proxy_before(engine.url + "/pre") as proxy:
        play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(sent), End()])
        engine.close()
    assert engine.heard[0].data == sent.replace(b" /1", b" /pre/1")
