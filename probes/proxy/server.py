"""The proxy: listens, ties each client to the engine, and publishes what it saw."""

import asyncio
import errno
import socket
import ssl
from asyncio import BaseTransport
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from ..address import Address
from ..local import is_local
from ..publish.publisher import Publisher
from ..publish.request import Request
from ..trust import explain
from .edit import editor
from .exchange import Exchange
from .link import Link, UnreachableError
from .message import Head
from .pace import Pace
from .place import Place
from .watch import Watch

CONNECTING_S = 10.0
BACKLOG = 1024
MOST_PACES = 256
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared


class Proxy:
    """Relays from one place to one engine, in the event loop that starts it."""

    def __init__(self, upstream: Address, publisher: Publisher, say: Callable[[str], None]) -> None:
        """Nothing listens yet.

        Args:
            upstream: the engine.
            publisher: holds the counts; whoever made it starts and stops it.
            say: takes a line for the person who runs it.
        """
        self.upstream = upstream
        self._publisher = publisher
        self._say = say
        self._edit = editor(upstream)
        self._trust = ssl.create_default_context() if upstream.secure else None
        self._paces: dict[str, Pace] = {}
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._ports: set[int] = set()
        self._told: set[str] = set()
        self._bytes = 0

    async def start(self, place: Place) -> Place:
        """Listens.

        Returns:
            Where: the port is chosen now if it was 0.

        Raises:
            OSError: it cannot.
            ValueError: it would relay to itself.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._trouble)
        if self.upstream.port == place.port and await self._reaches(place):
            raise ValueError(f"{self.upstream.url} is where the proxy itself listens: it would ask itself")
        make = partial(Link, self._open, edits=self._edit is not None, done=self._forget)
        self._server = await loop.create_server(
            lambda: self._enter(make), place.host, place.port, backlog=BACKLOG, reuse_address=True
        )
        port = int(self._server.sockets[0].getsockname()[1])
        self._ports.add(port)
        if self._publisher.url is not None:
            self._ports.add(Address.parse(self._publisher.url).port)
        return Place(place.host, port)

    @property
    def links(self) -> tuple[Link, ...]:
        """The connections of clients that are open."""
        return tuple(self._links)

    @property
    def answers_under_way(self) -> int:
        """How many connections wait for the end of an answer."""
        return sum(link.is_busy for link in self._links)

    @property
    def bytes(self) -> int:
        """What has passed, both ways, bodies and heads."""
        return self._bytes + sum(link.bytes for link in self._links)

    async def drain(self) -> None:
        """Takes no more connections, and waits until all answers are complete."""
        if self._server is not None:
            self._server.close()
        while self.answers_under_way:
            for link in self.links:
                if not link.is_busy:
                    link.close()
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Ends all connections at once."""
        if self._server is not None:
            self._server.close()
        for link in self.links:
            link.close()
        await asyncio.sleep(0)

    def _enter(self, make: Callable[[Watch], Link]) -> Link:
        # `make` takes the watch as its second argument: the first is bound.
        link = make(Watch(self._exchange, self._edit))
        self._links.add(link)
        return link

    def _forget(self, link: Link) -> None:
        self._links.discard(link)
        self._bytes += link.bytes

    def _exchange(self, head: Head) -> Exchange:
        if len(self._paces) > MOST_PACES:
            self._paces.clear()
        return Exchange(head, self._begin, self._paces)

    def _begin(self, model: str) -> Request:
        return Request(self._publisher.counts.row("", model, self.upstream.url))

    async def _open(self, side: asyncio.Protocol) -> None:
        """Connects one side to the engine; as `link.Upstream` says."""
        try:
            async with asyncio.timeout(CONNECTING_S):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    lambda: side,
                    self.upstream.host,
                    self.upstream.port,
                    ssl=self._trust,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError:
            raise self._unreachable(f"{self.upstream.site} does not answer within {CONNECTING_S:g} s") from None
        except ssl.SSLError as error:
            raise self._unreachable(explain(error, self.upstream)) from None
        except socket.gaierror as error:
            raise self._unreachable(f"no address for {self.upstream.host}: {error.strerror}") from None
        except (OSError, ExceptionGroup) as error:
            raise self._unreachable(self._refused(error)) from None
        if self._is_itself(transport):
            transport.abort()
            raise self._unreachable(f"{self.upstream.url} is this proxy itself")

    def _unreachable(self, line: str) -> UnreachableError:
        if line not in self._told:
            self._told.add(line)
            self._say(line)
        return UnreachableError(line)

    def _refused(self, error: Exception) -> str:
        if isinstance(error, OSError) and error.errno not in {errno.ECONNREFUSED, None}:
            return f"no connection to {self.upstream.site}: {error.strerror}"
        return f"nothing listens on {self.upstream.site}"

    def _is_itself(self, transport: BaseTransport) -> bool:
        there: Any = transport.get_extra_info("peername")
        here: Any = transport.get_extra_info("sockname")
        return bool(there and here) and there[1] in self._ports and there[0] == here[0]

    async def _reaches(self, place: Place) -> bool:
        """Whether the engine's name and the place mean one address of this machine."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            theirs = await loop.getaddrinfo(self.upstream.host, self.upstream.port, type=socket.SOCK_STREAM)
            if place.host in ANYWHERE:
                return is_local(self.upstream.url)
            ours = await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            return bool({row[4][0] for row in theirs} & {row[4][0] for row in ours})
        return False

    def _trouble(self, _: object, context: dict[str, Any]) -> None:
        """What asyncio would print: one line of it, once."""
        error = context.get("exception")
        line = f"{context.get('message', 'trouble')}: {error}" if error is not None else str(context.get("message"))
        if line not in self._told and not isinstance(error, ConnectionError):
            self._told.add(line)
            self._say(line)
