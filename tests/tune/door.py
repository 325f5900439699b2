"""A real server on a loopback port that answers each request, body and all, as a test wants it."""

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Self

MODELS = json.dumps({"data": [{"id": "only"}]}).encode()


class Asked(NamedTuple):
    method: str
    path: str
    body: dict[str, Any]


class Door:
    """Entered, it serves. What does not ask for the models is answered by `reply`."""

    def __init__(self, reply: Callable[[Asked], bytes], models: Callable[[], bytes] = lambda: MODELS) -> None:
        self._reply, self._models = reply, models
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._socket.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            client.settimeout(10)
            head, body = b"", b""
            while b"\r\n\r\n" not in head:
                more = client.recv(4096)
                if not more:
                    return
                head += more
            head, _, body = head.partition(b"\r\n\r\n")
            lengths = re.findall(rb"(?i)content-length: (\d+)", head)
            while len(body) < int((lengths or [b"0"])[0]):
                body += client.recv(65536)
            method, path, _ = head.decode().split(" ", 2)
            asked = Asked(method, path, json.loads(body or b"{}"))
            client.sendall(answer(self._models()) if path == "/v1/models" else self._reply(asked))


def answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nserver: uvicorn\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


def stream(events: int, *, chat: bool = False, usage: Mapping[str, object] | None = None) -> bytes:
    """An answer of so many events with text."""
    said: dict[str, object] = {"delta": {"content": " word"}} if chat else {"text": " word"}
    pieces: list[dict[str, object]] = [{"choices": [{"index": 0} | said]}] * events
    if usage:
        pieces.append({"choices": [], "usage": usage})
    lines = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces)
    return answer((lines + "data: [DONE]\n\n").encode())
