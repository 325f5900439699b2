"""One request to an engine, which another thread can end at any moment."""

import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Self

from ...probes.address import Address
from ...probes.trust import explain
from ...probes.wire import AGENT

CONNECT_S = 5.0
ANSWER_S = 120.0
"""Seconds without a byte after which an engine is taken to hang: a long prompt on a slow machine takes a minute."""
MOST_BYTES = 4 << 20
"""Of a list of models."""
EXPIRED = "the load was closed"


class LoadError(Exception):
    """A request was not served; the text is one line for a person. The key never stands in it."""


class Aborted(LoadError):
    """The load was closed, or does something else now."""


class Refused(LoadError):
    """An answer that is none of success, with its status."""

    def __init__(self, status: int, line: str, reason: str) -> None:
        super().__init__(line)
        self.status = status
        self.reason = reason
        """What the engine says of it."""


class Wire:
    """Asks one engine, one request at a time; `abort` may come from any thread."""

    def __init__(self, url: str, api_key: str | None) -> None:
        """Raises ValueError: the URL cannot be used, or the key cannot be sent."""
        self._address = Address.parse(url)
        key = (api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("the API key holds characters that no header can carry")
        self._key = key
        self._trust = ssl.create_default_context() if self._address.secure else None
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._round = 0
        """Grows with each abort: a request that was begun before is not sent."""
        self._closed = False

    def __repr__(self) -> str:
        return f"Wire({self._address.url!r})"

    def abort(self, *, close: bool = False) -> None:
        """Ends the request that runs, at once; with `close`, no other begins."""
        with self._lock:
            self._round += 1
            self._closed = self._closed or close
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    @property
    def round(self) -> int:
        """To be taken before a request is thought out, and given with it."""
        with self._lock:
            return self._round

    def ask(self, method: str, path: str, body: dict[str, object] | None, *, begun: int) -> "Answer":
        """Sends a request, and returns the answer once its head is there.

        Raises:
            Aborted: `abort` came since the round `begun`.
            LoadError: there is no answer.
        """
        try:
            sock = self._connect(begun)
            connection = http.client.HTTPConnection(self._address.host, self._address.port)
            connection.sock = sock
            headers = {"User-Agent": AGENT, "Host": self._address.header, "Connection": "close"}
            if body is not None:
                headers["Content-Type"] = "application/json"
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            sent = None if body is None else json.dumps(body).encode()
            asked = time.monotonic()
            connection.request(method, self._address.prefix + path, sent, headers)
            return Answer(self, connection.getresponse(), begun, asked)
        except (LoadError, OSError, http.client.HTTPException, ValueError) as error:
            self.release()
            raise self.explained(error, begun) from None

    def release(self) -> None:
        """Closes the connection."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None

    def explained(self, error: Exception, begun: int) -> LoadError:
        """What went wrong, in a sentence."""
        if self.round != begun or self._closed:
            return Aborted(EXPIRED)
        site = self._address.site
        if isinstance(error, LoadError):
            return error
        if isinstance(error, TimeoutError):
            return LoadError(f"{site} does not answer")
        if isinstance(error, ConnectionRefusedError):
            return LoadError(f"nothing listens on {site}")
        if isinstance(error, socket.gaierror):
            return LoadError(f"no address for {self._address.host}: {error.strerror}")
        if isinstance(error, ssl.SSLError):
            return LoadError(explain(error, self._address))
        if isinstance(error, ConnectionError | http.client.IncompleteRead):
            return LoadError(f"{site} ended the connection in the middle of an answer")
        if isinstance(error, OSError):
            return LoadError(f"no connection to {site}: {error.strerror or type(error).__name__}")
        return LoadError(f"{site} does not answer as an engine does")

    def redacted(self, text: str) -> str:
        """What an engine says of a request, in one short line without the key."""
        text = text.replace(self._key, "…") if self._key else text
        return "".join(letter if letter.isprintable() else " " for letter in text)[:160].strip()

    def _connect(self, begun: int) -> socket.socket:
        sock = socket.create_connection((self._address.host, self._address.port), CONNECT_S)
        with self._lock:
            self._socket = sock
            if self._round != begun or self._closed:
                raise Aborted(EXPIRED)
        if self._trust is not None:
            secure = self._trust.wrap_socket(sock, server_hostname=self._address.host)
            with self._lock:
                self._socket = secure
                if self._round != begun or self._closed:
                    raise Aborted(EXPIRED)
            sock = secure
        sock.settimeout(ANSWER_S)
        return sock


class Answer:
    """What comes back. To be used as a context: leaving it closes the connection."""

    def __init__(self, wire: Wire, response: http.client.HTTPResponse, begun: int, asked: float) -> None:
        self._wire, self._response, self._begun = wire, response, begun
        self.status = response.status
        self.asked = asked
        """Monotonic seconds, before the first byte was sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._wire.release()

    def readline(self, limit: int = -1, /) -> bytes:
        """The next line. Raises LoadError."""
        try:
            line = self._response.readline(limit)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._wire.explained(error, self._begun) from None
        if not line and self._wire.round != self._begun:
            raise Aborted(EXPIRED)
        return line

    def read(self) -> bytes:
        """All of it. Raises LoadError."""
        try:
            return self._response.read(MOST_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._wire.explained(error, self._begun) from None
