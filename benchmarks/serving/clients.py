"""Clients that keep an engine busy and count what they are sent, with the moment of each token."""

import bisect
import json
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Protocol, Self
from urllib.parse import urlsplit

from .contract import Recipe


class Counted(Protocol):
    """Who knows when each token came."""

    def tokens(self, until: float) -> int:
        """Tokens up to this monotonic moment."""
        ...


class Clients:
    """Streams that never end until told to."""

    def __init__(self, recipe: Recipe, url: str) -> None:
        """`url` is that of the engine, or of the proxy before it."""
        self._recipe = recipe
        self._address = urlsplit(url)
        self._stopped = threading.Event()
        self._moments: list[list[float]] = [[] for _ in range(recipe.streams)]
        self._connections: list[HTTPConnection] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(recipe.streams)
        ]
        self.trouble = ""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(20)

    def tokens(self, until: float) -> int:
        """Tokens of all streams up to this monotonic moment."""
        return sum(bisect.bisect_right(moments, until) for moments in self._moments)

    def _run(self, number: int) -> None:
        while not self._stopped.is_set():
            try:
                self._one(number)
            except (OSError, HTTPException) as error:
                self.trouble = f"{type(error).__name__}: {error}"
                self._stopped.wait(0.5)

    def _one(self, number: int) -> None:
        path, body = self._recipe.question(number)
        connection = HTTPConnection(self._address.hostname or "", self._address.port, timeout=120)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer, seen = connection.getresponse(), 0
        if answer.status != 200:
            self.trouble = f"{answer.status}: {answer.read(300).decode(errors='replace')}"
            self._stopped.wait(0.5)
        for line in answer:
            count = self._recipe.count(line, seen)
            self._moments[number] += [time.monotonic()] * (count - seen)
            seen = count
            if self._stopped.is_set():
                break
        with suppress(OSError):
            connection.close()


def rate(counted: Counted, start: float, end: float) -> float:
    """Tokens/s between two monotonic moments."""
    return (counted.tokens(end) - counted.tokens(start)) / (end - start)


def wait_for(counted: Counted, tokens: int, seconds: float = 180.0) -> None:
    """Returns when so many tokens have come. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while counted.tokens(time.monotonic()) < tokens:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no tokens in {seconds:.0f} s {getattr(counted, 'trouble', '')}".strip())
        time.sleep(0.05)
