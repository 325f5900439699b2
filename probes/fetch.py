"""The only place that opens a socket to an engine. It can do nothing but GET."""

import socket
import ssl
import time
from contextlib import suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Literal, Self, cast
from urllib.parse import urljoin

from msgspec import Struct

from .address import Address, Resolver
from .trust import explain
from .wire import Request, TooMuchError, Wire, left

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FRAMING = 256 << 10
"""Bytes that status lines, headers and chunk marks may take beside the body."""

Kind = Literal["url", "refused", "timeout", "tls", "too_big", "redirect", "protocol", "network"]


class Answer(Struct, frozen=True):
    """What came back. Any status but a redirect is an answer."""

    status: int
    server: str | None
    """The Server header: it separates "llama.cpp", "uvicorn" and "BaseHTTP/0.6 Python/3.12"."""
    content_type: str | None
    body: bytes
    time: float
    """Monotonic seconds when the last byte came."""

    def __repr__(self) -> str:  # a body may hold what people wrote: it is never printed by accident
        return f"Answer({self.status}, server={self.server!r}, {self.content_type!r}, {len(self.body)} bytes)"


class FetchError(Exception):
    """No answer. Its text is one line that can stand in a row as it is."""

    def __init__(self, kind: Kind, line: str) -> None:
        super().__init__(line)
        self.kind: Kind = kind


class Fetch:
    """Asks one engine, each time on a connection of its own.

    A kept connection would hold one of the few workers of the HTTP pool of llama-server.
    """

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 2.0, limit: int = 8 << 20) -> None:
        """Checks the URL; nothing is sent yet.

        Args:
            url: base URL; a path in it is put before every path that is asked.
            api_key: sent as a bearer token, never shown.
            timeout: seconds for all of one exchange, from looking up the name to the last byte.
            limit: bytes of body at which an answer is refused.

        Raises:
            FetchError: of kind "url".
        """
        try:
            self._address = Address.parse(url)
            self._request = Request(self._address, api_key)
        except ValueError as error:
            raise FetchError("url", str(error)) from None
        self.url = self._address.url
        """The base URL in one spelling."""
        self._timeout = timeout
        self._limit = limit
        self._resolver = Resolver(self._address)
        self._trust = ssl.create_default_context() if self._address.secure else None
        self._allowed: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"Fetch({self.url!r})"

    def only(self, paths: frozenset[str]) -> Self:
        """The same, but able to ask these paths (with their queries) only."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._allowed = paths if self._allowed is None else self._allowed & paths
        return twin

    def get(self, path: str) -> Answer:
        """Asks for one path.

        Raises:
            FetchError: no answer, or none that can be used.
            ValueError: this path is not among those that this object may ask.
        """
        if self._allowed is not None and path not in self._allowed:
            raise ValueError(f"GET {path} is not on the list of this engine")
        if not (path.startswith("/") and path.isascii() and path.isprintable() and " " not in path):
            raise ValueError(f"no path to ask for: {path!r}")
        deadline = time.monotonic() + self._timeout
        site = self._address.site
        try:
            return self._exchange(path, deadline)
        except TimeoutError:
            raise FetchError("timeout", f"{site} does not answer within {self._timeout:g} s") from None
        except ConnectionRefusedError:
            raise FetchError("refused", f"nothing listens on {site}") from None
        except RemoteDisconnected:
            raise FetchError("network", f"{site} closes the connection without an answer") from None
        except IncompleteRead:
            raise FetchError("network", f"the answer of {site} to {path} ends too early") from None
        except socket.gaierror as error:
            raise FetchError("network", f"no address for {self._address.host}: {error.strerror}") from None
        except ssl.SSLError as error:
            raise FetchError("tls", explain(error, self._address)) from None
        except OSError as error:
            raise FetchError("network", f"no connection to {site}: {error.strerror or error}") from None
        except TooMuchError:
            raise FetchError("too_big", self._too_big(path)) from None
        except (HTTPException, ValueError, OverflowError):
            raise FetchError("protocol", f"{site} does not speak HTTP") from None

    def _exchange(self, path: str, deadline: float) -> Answer:
        with self._connect(deadline) as sock:
            sock.settimeout(left(deadline))
            sock.sendall(self._request.encode(path))
            wire = Wire(sock, deadline, self._limit + _FRAMING)
            with HTTPResponse(cast("socket.socket", wire)) as response:  # it asks for makefile() and no more
                response.begin()
                if wire.ended:
                    raise IncompleteRead(b"")
                return self._receive(response, path)

    def _connect(self, deadline: float) -> socket.socket:
        """A connection to the first address that takes one, with TLS where the URL asks for it."""
        failure: OSError | None = None
        for family, where in self._resolver.find(deadline):
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(left(deadline))
                sock.connect(where)
                return self._secure(sock, deadline, self._trust) if self._trust else sock
            except OSError as error:
                sock.close()
                failure = failure if isinstance(failure, ConnectionRefusedError) else error
        self._resolver.forget()
        raise failure or OSError("it has no address")

    def _secure(self, sock: socket.socket, deadline: float, trust: ssl.SSLContext) -> socket.socket:
        sock.settimeout(left(deadline))
        return trust.wrap_socket(sock, server_hostname=self._address.host.partition("%")[0])

    def _receive(self, response: HTTPResponse, path: str) -> Answer:
        site = self._address.site
        if response.status in _REDIRECTS:
            where = _base(f"{self.url}{path}", response.getheader("Location") or "nowhere", path)
            raise FetchError("redirect", f"answers with a redirect to {where}: give that URL")
        if response.getheader("Content-Encoding", "identity") != "identity":
            raise FetchError("protocol", f"{site} sends {path} packed, which it was asked not to do")
        if (response.length or 0) > self._limit:
            raise TooMuchError
        body = response.read(self._limit + 1)
        if len(body) > self._limit:
            raise TooMuchError
        if response.length:
            raise IncompleteRead(b"")
        return Answer(
            status=response.status,
            server=_header(response, "Server"),
            content_type=_header(response, "Content-Type"),
            body=body,
            time=time.monotonic(),
        )

    def _too_big(self, path: str) -> str:
        return f"the answer of {self._address.site} to {path} is larger than {self._limit / (1 << 20):g} MiB"


def _base(asked: str, location: str, path: str) -> str:
    """The base URL under which the same path would be asked, as far as a redirect tells it."""
    with suppress(ValueError):  # it may be no URL, and yet a person may know what it means
        location = urljoin(asked, location)
    return _clean(location.removesuffix(path))


def _header(response: HTTPResponse, name: str) -> str | None:
    text = response.getheader(name)
    return None if text is None else _clean(text)


def _clean(text: str) -> str:
    """Without what could move a terminal's cursor, and not longer than a line."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])
