"""Requests that are cut, spelt or answered in ways that no common client has, where heads are edited and where not."""

import json
import socket
import time
from collections.abc import Sequence

import pytest
from llmtop.probes.proxy.asked import ModelName

from .corpus import chunk
from .passing import head, pass_through
from .running import Running, proxy_before
from .wire import Await, End, Engine, Heard, Pause, Send, Step, play

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def through(client: Sequence[Step], steps: Sequence[Step], prefix: str) -> tuple[Heard, Heard]:
    """What client and engine hear."""
    engine = Engine(steps)
    with proxy_before(engine.url + prefix) as proxy:
        began = time.monotonic()
        heard = play(socket.create_connection(("127.0.0.1", proxy.port)), client)
        assert time.monotonic() - began < 5
        engine.close()
    return heard, engine.heard[0]


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_lines_that_end_with_line_feeds_alone_reach_the_engine(prefix: str) -> None:
    asked = b"GET / HTTP/1.0\nX: y\n\n"
    client, engine = through([Send(asked), Await(len(OK))], [Await(len(asked)), Send(OK), End()], prefix)
    assert client.data == OK
    assert engine.data.endswith(b"HTTP/1.0\nX: y\n\n")


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_half_a_head_reaches_the_engine_when_the_client_says_no_more(prefix: str) -> None:
    asked = b"GET / HTTP/1.1\r\nHost: x\r\n"
    bad = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    client, engine = through([Send(asked), Pause(), End()], [Await(len(asked)), Send(bad), End()], prefix)
    assert client.data == bad
    assert engine.data == asked


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_frames_that_come_before_the_switch_reach_the_engine(prefix: str) -> None:
    frame = b"\x81\x85abcd\x09\x07\x0f\x08\x0e"
    whole = len(UPGRADE) + len(prefix)
    client, engine = through(
        [Send(UPGRADE + frame), Await(len(SWITCHED + OK)), End()],
        [Await(whole), Pause(), Send(SWITCHED), Await(whole + len(frame)), Send(OK), End()],
        prefix,
    )
    assert client.data == SWITCHED + OK
    assert engine.data.endswith(frame)


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_half_a_head_goes_on_when_the_answer_before_cannot_be_followed(prefix: str) -> None:
    first, second = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
    odd = b"NONE 200 OK\r\n\r\n"
    whole = len(first) + len(prefix)
    client, engine = through(
        [Send(first + second[:9]), Await(len(odd)), Send(second[9:]), Await(len(odd + OK)), End()],
        [Await(whole), Pause(), Send(odd), Await(whole + len(second)), Send(OK), End()],
        prefix,
    )
    assert client.data == odd + OK
    assert engine.data.endswith(second)


def body_of(piece: str, **usage: int) -> bytes:
    told = {"choices": [{"index": 0, "delta": {"content": piece}}]} | ({"usage": usage} if usage else {})
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def test_a_usage_of_zero_says_nothing() -> None:
    zero = {"prompt_tokens": 0, "completion_tokens": 0}
    pieces = [body_of("x", **zero) for _ in range(20)]

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 20
        assert proxy.row.generation_tokens.owed == 0
        assert proxy.row.estimated_tokens == 20

    pass_through("/v1/chat/completions", head("text/event-stream"), *pieces, check=check)


def test_usage_in_every_chunk_is_exact_at_each() -> None:
    pieces = [body_of("x", prompt_tokens=7, completion_tokens=2 * number) for number in range(1, 21)]

    def check(proxy: Running) -> None:
        assert proxy.row.generation_tokens.total == 40
        assert proxy.row.estimated_tokens == 0
        assert proxy.row.prompt_tokens.total == 7

    pass_through("/v1/chat/completions", head("text/event-stream"), *pieces, check=check)


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize("asked", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00\x01", b"  GET"])
def test_what_begins_like_no_request_reaches_the_engine(asked: bytes, prefix: str) -> None:
    client, engine = through([Send(asked), Await(len(OK)), End()], [Await(len(asked)), Send(OK)], prefix)
    assert (client.data, engine.data) == (OK, asked)


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_a_tunnel_is_open_both_ways(prefix: str) -> None:
    asked, opened, spoken = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"hello"
    client, engine = through(
        [Send(asked), Await(len(opened)), Send(spoken), Await(len(opened + OK)), End()],
        [Await(len(asked)), Send(opened), Await(len(asked + spoken)), Send(OK)],
        prefix,
    )
    assert (client.data, engine.data) == (opened + OK, asked + spoken)


NAMES = [
    (b'{"model":"m"}', "m"),
    (b'{"messages":[{"content":[{"type":"tool_use","input":{"model":"secret"}}]}],"model":"m"}', "m"),
    (b'{"messages":[{"model":"secret"}]}', ""),
    (b'[{"model":"secret"}]', ""),
    (b'{"model":null,"prompt":"secret"}', ""),
    (b'{"model":{"model":"secret"},"x":"secret"}', ""),
    (b'{"prompt":"model","x":":","y":"\\"model\\":\\"secret\\"","model":"a\\/b\\u0041"}', "a/bA"),
    (b'{"stop":["model"],"x":"model","model" : "m"}', "m"),
    (b'{"prompt":"\\\\","model":"m"}', "m"),
    (b'{"model":"%s"}' % (b"n" * 201), ""),
    (b'{"model":"\xff","x":"y"}', ""),
    (b'"model":"secret"', ""),
    (b"", ""),
]


@pytest.mark.parametrize(("body", "name"), NAMES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_model_is_the_one_that_is_asked_for_and_nothing_of_the_prompt(body: bytes, name: str, size: int) -> None:
    model = ModelName()
    for start in range(0, len(body), size):
        model.feed(body[start : start + size])
    assert model.found == name


def test_a_model_whose_name_is_cut_by_chunks_is_found() -> None:
    asked = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    asked += b"".join(chunk(piece) for piece in (b'{"mo', b'del":"Qwe', b'n3"}')) + b"0\r\n\r\n"
    engine = Engine([Await(len(asked)), Send(OK), End()])
    with proxy_before(engine.url) as proxy:
        play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(asked)])
        engine.close()
        assert proxy.row.key.model == "Qwen3"
