"""Counts, their server and the notice of it: what a process needs to be found and read."""

import atexit
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock
from weakref import WeakSet

from .counts import Counts
from .notice import announce, withdraw
from .server import Server


class Publisher:
    """Publishes the counts of this process on loopback. A forked child has its own: it starts again there."""

    def __init__(self, observer: str, port: int = 0) -> None:
        """Nothing listens yet.

        Args:
            observer: who counts: "hook", "proxy".
            port: 0 takes any that is free; another one is the first process's, and its forks take any.
        """
        self.counts = Counts()
        self._observer = observer
        self._port = port
        self._lock = RLock()
        self._server: Server | None = None
        self._notice: Path | None = None
        _alive.add(self)

    @property
    def url(self) -> str | None:
        """Where it publishes; None before `start`."""
        return self._server.url if self._server else None

    @property
    def announced(self) -> bool:
        """Whether the monitor finds it by itself. Where no notice can be written, a person has to name the URL."""
        return self._notice is not None

    def start(self, port: int | None = None) -> None:
        """Listens and announces it; does nothing when it does so already.

        Args:
            port: instead of the one that it was made with.

        Raises:
            OSError: the port is taken, or there is no loopback.
            OverflowError: no port has this number.
            RuntimeError: no thread can be started.
        """
        with self._lock:
            if self._server is None:
                self._server = server = Server(self.counts, self._observer, self._port if port is None else port)
                with suppress(OSError):
                    self._notice = announce(server.url, self._observer)
                atexit.register(self._withdraw)

    def stop(self) -> None:
        """Ends both; takes up to half a second."""
        with self._lock:
            self._withdraw()
            atexit.unregister(self._withdraw)
            if self._server is not None:
                self._server.stop()
                self._server = None

    def in_child(self) -> None:
        """Forgets the server and the notice of the parent, which goes on with them."""
        self._lock = RLock()
        if self._server is not None:
            self._server.let_go()
        self._server = self._notice = None
        self._port = 0

    def _withdraw(self) -> None:
        if self._notice is not None:
            withdraw(self._notice)
            self._notice = None


_alive: WeakSet[Publisher] = WeakSet()


def _in_child() -> None:
    for publisher in tuple(_alive):
        publisher.in_child()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_in_child)
