"""Where the proxy listens."""

import re
import socket
from ipaddress import ip_address

from msgspec import Struct

_FORM = re.compile(r"(?:(?P<host>\[[^\]]+\]|[^\[\]:/]*):)?(?P<port>[0-9]{1,5})", re.ASCII)
LOOPBACK = "127.0.0.1"


class Place(Struct, frozen=True):
    """Host and port of a socket that listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Reads HOST:PORT, :PORT or PORT; without a host it is loopback.

        Raises:
            ValueError: it is none; the text says why.
        """
        match = _FORM.fullmatch(text)
        if not match or int(match["port"]) > 65535:
            raise ValueError(f"{text[:60]!r} is no HOST:PORT, as 127.0.0.1:8484 is")
        return cls((match["host"] or LOOPBACK).strip("[]"), int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches it.

        Raises:
            OSError: no such host.
        """
        rows = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return all(ip_address(str(where[0]).partition("%")[0]).is_loopback for *_, where in rows)

    @property
    def site(self) -> str:
        """As people read it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
