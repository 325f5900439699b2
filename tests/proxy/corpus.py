"""Exchanges of all kinds, as the bytes that either side sends."""

import gzip
from dataclasses import dataclass

from .wire import Await, End, Pause, Reset, Send, Step

EVENTS = b"".join(b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % number for number in range(20))
BINARY = bytes(range(256)) * 64
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: engine.test\r\n"


@dataclass(frozen=True)
class Talk:
    """What the client does, and what the engine does."""

    client: list[Step]
    engine: list[Step]


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def ask(request: bytes, *answers: bytes, fin: bool = True) -> Talk:
    """One request, then the answer in these pieces. The engine closes, or leaves that to the client."""
    steps: list[Step] = [Await(len(request))]
    for answer in answers:
        steps += [Send(answer), Pause(0.01)]
    total = sum(map(len, answers))
    return Talk(
        [Send(request), Await(total), *([] if fin else [End()])],
        [*steps, *([End()] if fin else [])],
    )


def _keep_alive() -> Talk:
    first, second = POST + b"Content-Length: 2\r\n\r\n{}", b"GET /v1/models?a=%20b&c HTTP/1.1\r\nHost: x\r\n\r\n"
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
    two = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"second") + b"0\r\n\r\n"
    return Talk(
        [Send(first), Await(len(one)), Send(second), Await(len(one + two)), End()],
        [Await(len(first)), Send(one), Await(len(first + second)), Send(two)],
    )


def _pipelined() -> Talk:
    requests = (
        (POST + b"Content-Length: 4\r\n\r\nbody")
        + (POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + b"0\r\n\r\n")
        + b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    answers = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
    )
    return Talk([Send(requests), Await(len(answers)), End()], [Await(len(requests)), Send(answers)])


def _continue(answer: bytes, *, body: bool) -> Talk:
    head = POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" if body else b""
    sends: list[Step] = [Send(b"{}\n")] if body else []
    return Talk(
        [Send(head), Await(len(interim)), *sends, Await(len(interim + answer)), End()],
        [Await(len(head)), Send(interim), Await(len(head) + 3 * body), Send(answer)],
    )


def _early_error() -> Talk:
    head = POST + b"Content-Length: 300000\r\n\r\n" + b"x" * 1000
    answer = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
    return Talk([Send(head), Await(len(answer))], [Await(len(head)), Send(answer), End()])


def _upgrade() -> Talk:
    head = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n"
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    frame, reply = b"\x81\x85abcd\x09\x07\x0f\x08\x0e", b"\x81\x05hello"
    return Talk(
        [Send(head), Await(len(answer)), Send(frame), Await(len(answer + reply)), End()],
        [Await(len(head)), Send(answer), Await(len(head + frame)), Send(reply)],
    )


def _dripped() -> Talk:
    request = POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"data: x\n\n") + b"0\r\n\r\n"

    def drip(data: bytes) -> list[Step]:
        return [step for byte in data for step in (Send(bytes([byte])), Pause(0.0005))]

    return Talk([*drip(request), Await(len(answer)), End()], [Await(len(request)), *drip(answer)])


SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
JSON = b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}'
PLAIN = POST + b"Content-Length: 2\r\n\r\n{}"

CORPUS: dict[str, Talk] = {
    "plain": ask(PLAIN, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(JSON), JSON), fin=False),
    "stream in chunks": ask(PLAIN, SSE, *(chunk(b"data: %d\n\n" % n) for n in range(20)), b"0\r\n\r\n"),
    "several events in a chunk": ask(PLAIN, SSE, chunk(EVENTS), b"0\r\n\r\n"),
    "events cut anywhere": ask(PLAIN, SSE, *(chunk(EVENTS[n : n + 7]) for n in range(0, 210, 7)), b"0\r\n\r\n"),
    "chunks with extensions": ask(PLAIN, SSE, chunk(b"data: 1\n\n", b';a=b;c="d e"'), b"0;last=1\r\n\r\n"),
    "trailers": ask(PLAIN, SSE, chunk(b"data: 1\n\n"), b"0\r\nX-Checksum: abc\r\nx-Second:  2 \r\n\r\n"),
    "size in capitals with zeros": ask(PLAIN, SSE, b"00000A\r\n0123456789\r\n", b"000\r\n\r\n"),
    "until the connection ends": ask(PLAIN, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", EVENTS),
    "HTTP/1.0": ask(
        b"POST /completion HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.0 200 OK\r\nServer: B\r\n\r\n", EVENTS
    ),
    "HEAD": ask(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n", fin=False),
    "HEAD of a stream": ask(b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", SSE, fin=False),
    "OPTIONS": ask(
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: POST\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
        fin=False,
    ),
    "an unknown method": ask(
        b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n", fin=False
    ),
    "DELETE with a body": ask(
        b"DELETE /api/delete HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "204": ask(PLAIN, b"HTTP/1.1 204 No Content\r\n\r\n", fin=False),
    "304 with a length": ask(PLAIN, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: x\r\n\r\n", fin=False),
    "redirect": ask(
        PLAIN, b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://x/y\r\nContent-Length: 0\r\n\r\n", fin=False
    ),
    "cookies and doubled headers": ask(
        POST + b"Cookie: a=1\r\ncookie: b=2\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: A\r\nVary: B\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "odd case and spaces": ask(
        b"GET  /a HTTP/1.1\r\nhOST:x\r\nX-ODD:    much   space   \r\nx_under_score: 1\r\n\r\n".replace(
            b"GET  ", b"GET "
        ),
        b"HTTP/1.1 200 Fine With Me\r\ncOnTeNt-LeNgTh:   2\r\nX-Empty:\r\nx-Tab:\ta\t\r\n\r\nok",
        fin=False,
    ),
    "no reason, no server, no date": ask(PLAIN, b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", fin=False),
    "long headers": ask(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"b" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "too long headers": ask(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 400_000 + b"\r\n\r\n",
        b"HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "raw path": ask(
        b"GET /a//b/../%2e%2E/%zz?q=%20+&&=%C3%BC;x#no HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "bytes that are no ASCII in headers": ask(
        b"GET /\xc3\xbc HTTP/1.1\r\nHost: x\r\nX-Name: J\xfcrgen\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Name: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "packed stream": ask(
        POST + b"Accept-Encoding: gzip, br;q=0.5\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
        chunk(gzip.compress(EVENTS, mtime=0)[:50]),
        chunk(gzip.compress(EVENTS, mtime=0)[50:]),
        b"0\r\n\r\n",
    ),
    "binary both ways": ask(
        b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(BINARY), BINARY),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(BINARY),
        BINARY,
        fin=False,
    ),
    "chunked request with trailers": ask(
        POST
        + b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
        + chunk(b"{", b";e=1")
        + chunk(b"}")
        + b"0\r\nX-T: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "keep-alive": _keep_alive(),
    "pipelined": _pipelined(),
    "100 Continue": _continue(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", body=True),
    "417 instead": _continue(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n", body=False),
    "103 Early Hints": ask(
        PLAIN,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        fin=False,
    ),
    "early error": _early_error(),
    "upgrade": _upgrade(),
    "Java's offer to upgrade, with a body": ask(
        POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
        b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        fin=False,
    ),
    "byte by byte": _dripped(),
    "client that says its end first": Talk(
        [Send(PLAIN), End()], [Await(len(PLAIN) + 1), Send(SSE), Pause(), Send(chunk(EVENTS) + b"0\r\n\r\n"), End()]
    ),
    "length and chunks": ask(
        PLAIN,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + b"0\r\n\r\n",
    ),
    "no HTTP at all": Talk([Send(b"\x16\x03\x01\x02\x00"), Await(4), End()], [Await(5), Send(b"\x15\x03\x01!")]),
    "HTTP/2 with prior knowledge": Talk(
        [Send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)), Await(9), End()], [Await(33), Send(bytes(9))]
    ),
    "line feeds alone": ask(b"GET / HTTP/1.1\nHost: x\n\n", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    "broken off in a chunk": Talk(
        [Send(PLAIN)], [Await(len(PLAIN)), Send(SSE + chunk(EVENTS) + b"100\r\ndata: "), Pause(), End()]
    ),
    "reset in a chunk": Talk(
        [Send(PLAIN), Await(len(SSE))], [Await(len(PLAIN)), Send(SSE), Pause(), Send(b"5\r\nab"), Pause(), Reset()]
    ),
    "reset in an answer without a length": Talk(
        [Send(PLAIN), Await(100)],
        [Await(len(PLAIN)), Send(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 81), Pause(), Reset()],
    ),
    "closed without an answer": Talk([Send(PLAIN)], [Await(len(PLAIN)), End()]),
}
