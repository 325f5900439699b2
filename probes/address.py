"""Where an engine is asked: the base URL that a person or discovery gives, checked and taken apart."""

import socket
import threading
import time
from typing import Self
from urllib.parse import quote, urlsplit

from msgspec import Struct

_PORTS = {"http": 80, "https": 443}
_Found = tuple[socket.AddressFamily, "tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]"]


class Address(Struct, frozen=True):
    """A base URL in parts."""

    secure: bool
    host: str
    port: int
    prefix: str
    """What stands before every path: "" or "/prefix"."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Takes a URL apart.

        A last `/v1` is dropped: base URLs of OpenAI clients end so, and the paths of the engines stand beside it.

        Raises:
            ValueError: it cannot be used; its text says why and never repeats a password.
        """
        if "@" in url.partition("?")[0]:
            raise ValueError("no user or password in a URL, please: keys come from the environment (LLMTOP_API_KEY)")
        if not url.isprintable() or " " in url:
            raise ValueError(f"spaces or control characters in {url!r}")
        scheme, found, _ = url.partition("://")
        if not found:
            raise ValueError(f"no http:// or https:// in '{url}': try --url http://{url}")
        if (scheme := scheme.lower()) not in _PORTS:
            raise ValueError(f"'{scheme}' is nothing that engines speak, in '{url}': http:// or https:// is")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{str(error)[:1].lower()}{str(error)[1:]}, in '{url}'") from None
        if parts.query or parts.fragment:
            raise ValueError(f"a URL of an engine ends before '?' and '#': '{url}'")
        if port == 0:
            raise ValueError(f"no port 0 in '{url}'")
        return cls(
            secure=scheme == "https",
            host=_host(parts.hostname, url),
            port=port or _PORTS[scheme],
            prefix=quote(parts.path, safe="/%:~!$&'()*+,;=@").rstrip("/").removesuffix("/v1"),
        )

    @property
    def site(self) -> str:
        """Host and port, as people read them: "127.0.0.1:8080", "[::1]:8080"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def header(self) -> str:
        """Value of the Host header."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The same base URL in one spelling, without a last slash."""
        return f"{'https' if self.secure else 'http'}://{self.site}{self.prefix}"


class Resolver:
    """Finds the network addresses of one host. A dead name server costs the time given, no more."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._known: list[_Found] = []
        self._failure: OSError | None = None
        self._lookup: threading.Thread | None = None
        try:
            self._known = self._ask(socket.AI_NUMERICHOST)
        except OSError:
            self._numeric = False
        else:
            self._numeric = True

    def find(self, deadline: float) -> list[_Found]:
        """Address families and addresses to connect to, best first; from memory after the first time.

        Raises:
            TimeoutError: no answer before `deadline`, in monotonic seconds.
            OSError: there is no such host.
        """
        if self._known:
            return self._known
        if self._lookup is None:
            self._failure = None
            self._lookup = threading.Thread(target=self._work, name="lookup", daemon=True)
            self._lookup.start()
        self._lookup.join(max(deadline - time.monotonic(), 0))
        if self._lookup.is_alive():
            raise TimeoutError
        self._lookup = None
        if self._failure is not None:
            raise self._failure
        return self._known

    def forget(self) -> None:
        """Looks a name up anew the next time: it may have moved."""
        if not self._numeric:
            self._known = []

    def _work(self) -> None:
        try:
            self._known = self._ask(0)
        except OSError as error:
            self._failure = error

    def _ask(self, flags: int) -> list[_Found]:
        rows = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM, flags=flags)
        return [(family, where) for family, _, _, _, where in rows]


def _host(host: str | None, url: str) -> str:
    if not host:
        raise ValueError(f"no host in '{url}'")
    try:
        return host if host.isascii() and len(host) < 64 else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"no host can be called '{host}'") from None
