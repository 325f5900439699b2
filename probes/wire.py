"""The bytes of one exchange with an engine: the request as sent, the answer under a deadline."""

import io
import socket
import time

from . import VERSION
from .address import Address

AGENT = f"llmtop/{VERSION}"


class TooMuchError(Exception):
    """More bytes came than the exchange may take."""


class Request:
    """All that is ever sent: a GET. It keeps the API key, and shows it to nobody but the socket."""

    __slots__ = ("_rest", "_start")

    def __init__(self, address: Address, api_key: str | None) -> None:
        """Joins the headers.

        Raises:
            ValueError: the key cannot be sent in a header.
        """
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("the API key holds characters that no header can carry")
        self._start = f"GET {address.prefix}"
        self._rest = (
            f" HTTP/1.1\r\nHost: {address.header}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n"
            "Accept-Encoding: identity\r\nConnection: close\r\n" + (f"Authorization: Bearer {key}\r\n" if key else "")
        )

    def __repr__(self) -> str:
        return "Request(…)"

    def encode(self, path: str) -> bytes:
        """The bytes that ask for a path."""
        return f"{self._start}{path}{self._rest}\r\n".encode("ascii")


class Wire(io.RawIOBase):
    """Reads a socket until a deadline, however slowly the bytes drip, and up to a number of bytes."""

    def __init__(self, sock: socket.socket, deadline: float, limit: int) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline
        self._budget = limit
        self.ended = False
        """Whether the other side has said its last byte."""

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self, 64 << 10)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Reads what is there.

        Raises:
            TimeoutError: the deadline has passed.
            TooMuchError: too many bytes have come.
        """
        self._sock.settimeout(left(self._deadline))
        count = self._sock.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise TooMuchError
        self.ended = count == 0
        return count


def left(deadline: float) -> float:
    """Seconds until a moment on the monotonic clock.

    Raises:
        TimeoutError: there are none.
    """
    if (seconds := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return seconds
