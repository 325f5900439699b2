"""HTTP messages in a stream of bytes, cut where they begin and end. The parser is llhttp."""

import re
from collections.abc import Iterator
from typing import Literal

from httptools import HttpParserUpgrade, HttpRequestParser, HttpResponseParser
from msgspec import Struct

LARGEST_HEAD = 256 << 10
MOST_CUTS = 4096
"""In one block: a body that is made of line ends would keep us busy."""
_END = b"\r\n\r\n"
_NO_HEAD = re.compile(rb"[\r\n]*[^\r\nA-Za-z]")
"""What no message begins with: TLS, frames of a WebSocket."""
_BARE = re.compile(rb"[^\r\n]\r?\n\r?\n")
"""The end of a head whose lines end with line feeds alone, where there is no other."""
_UPGRADE = re.compile(rb"(?<=\r\n)Upgrade(?=[ \t]*:)", re.IGNORECASE)


class NotHttp(Exception):
    """The bytes are none that can be followed."""


class Head(Struct, frozen=True):
    """Start line and headers of one message."""

    method: str
    """Of a request, else empty."""
    target: bytes
    """As it was sent."""
    status: int
    """Of an answer, else 0."""
    headers: dict[bytes, bytes]
    """By name in lower case; of several with one name, the last."""


class Part(Struct, frozen=True):
    """A piece of a message."""

    raw: bytes
    """As it came. All raws in a row are the stream."""
    head: Head | None = None
    """Where the piece is the head."""
    body: bytes = b""
    """What it holds of the body, without the marks of chunks."""
    ended: bool = False
    """Whether the message ends with it."""


class Messages:
    """One direction of one connection."""

    def __init__(self, kind: Literal["request", "response"]) -> None:
        self._make = HttpRequestParser if kind == "request" else HttpResponseParser
        self._held = bytearray()
        self.ends_with_connection = False
        """Whether only the end of the connection ends the message that is under way."""
        self._begin()

    @property
    def held(self) -> bytes:
        """Bytes that are no part yet: the beginning of a head."""
        return bytes(self._held)

    def parts(self, data: bytes) -> Iterator[Part]:
        """Cuts a block. Heads come whole, however they were sent; all else comes at once.

        Raises:
            NotHttp: it cannot be cut; what was not given out before is in `held`.
        """
        searched = len(self._held)
        self._held += data
        for _ in range(MOST_CUTS):
            if not self._held:
                return
            if self._in_head:
                end = self._held.find(_END, max(0, searched - len(_END) + 1))
                if end < 0:
                    odd = _NO_HEAD.match(self._held) or _BARE.search(self._held, max(0, searched - 4))
                    if odd or len(self._held) > LARGEST_HEAD:
                        break
                    return
                part = self._read_head(bytes(self._held[: end + len(_END)]))
            else:
                part = self._read_body(bytes(self._held[: self._next_cut()]))
            searched = 0
            del self._held[: len(part.raw)]
            yield part
        if self._held:
            raise NotHttp

    def release(self) -> bytes:
        """The same, given out as it came: it will be no part."""
        held = bytes(self._held)
        self._held.clear()
        return held

    def skip_body(self) -> None:
        """The message whose head was given out last has no body: it answers a HEAD."""
        self._begin()

    def _begin(self) -> None:
        self._reading = _Reading()
        self._parser = self._make(self._reading)
        self._in_head = True
        self._left: int | None = None
        self._tail = b""
        self.ends_with_connection = False

    def _feed(self, raw: bytes) -> None:
        try:
            self._parser.feed_data(raw)
        except HttpParserUpgrade:
            pass
        except Exception as error:  # whatever it raises says this
            raise NotHttp from error

    def _read_head(self, raw: bytes) -> Part:
        # An offer to upgrade (Java sends one with everything) would make the parser drop the body.
        self._feed(_UPGRADE.sub(b"X-pgrade", raw))
        reading = self._reading
        if not reading.has_head:
            return Part(raw)
        parser = self._parser
        head = Head(
            method=parser.get_method().decode() if isinstance(parser, HttpRequestParser) else "",
            target=reading.target,
            status=parser.get_status_code() if isinstance(parser, HttpResponseParser) else 0,
            headers=reading.headers,
        )
        ended = reading.ended
        if ended:
            self._begin()
        else:
            self._in_head = False
            length = head.headers.get(b"content-length")
            chunked = head.headers.get(b"transfer-encoding", b"").lower().endswith(b"chunked")
            self._left = int(length) if length and not chunked else None
            self.ends_with_connection = not length and not chunked
        return Part(raw, head=head, ended=ended)

    def _next_cut(self) -> int:
        """How many of the bytes may go into the parser at once, so that no message ends among them."""
        if self.ends_with_connection:
            return len(self._held)
        if self._left is not None:
            return min(self._left, len(self._held))
        seam = (self._tail + self._held[:3]).find(_END)
        if seam >= 0:
            return seam + len(_END) - len(self._tail)
        end = self._held.find(_END)
        return len(self._held) if end < 0 else end + len(_END)

    def _read_body(self, raw: bytes) -> Part:
        self._feed(raw)
        reading = self._reading
        body, reading.body = b"".join(reading.body), []
        ended = reading.ended
        if ended:
            self._begin()
        elif self._left is not None:
            self._left -= len(raw)
        else:
            self._tail = (self._tail + raw)[-3:]
        return Part(raw, body=body, ended=ended)


class _Reading:
    """What the parser calls, for one message."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[bytes, bytes] = {}
        self.body: list[bytes] = []
        self.has_head = False
        self.ended = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # else it is a trailer
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.ended = True
