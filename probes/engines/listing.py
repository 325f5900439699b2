"""What an engine says of itself in JSON, where that changes seldom: it is asked now and then, not with every reading.

Most of these engines write a line in their log for each request.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import DecodeError, Struct, structs

from ..fetch import Answer, Fetch
from ..sample import Engine, ModelFacts, Status
from .contract import UNAUTHORIZED

EVERY_S = 5.0
"""Seconds for which an answer is taken as good."""

Said = TypeVar("Said")


class Trouble(Struct, frozen=True):
    """Why there is nothing to be told."""

    status: Status
    problem: str

    def on(self, known: Engine) -> Engine:
        """What is known of the engine, with this trouble."""
        return structs.replace(known, status=self.status, problem=self.problem)


class Listing(Generic[Said]):
    """One path of one engine."""

    def __init__(self, fetch: Fetch, path: str, decode: Callable[[bytes], Said], first: Answer | None = None) -> None:
        """`first` is an answer that it gave a moment ago, to whoever identified it."""
        self._fetch = fetch
        self._path = path
        self._decode = decode
        self._answer = first
        self._said = understood(first, path, decode) if first else Trouble("unsupported", "")

    def read(self) -> Said | Trouble:
        """What it says, not older than `EVERY_S`. Raises FetchError when the engine cannot be asked."""
        if self._answer is None or time.monotonic() - self._answer.time >= EVERY_S:
            self._answer = self._fetch.get(self._path)
            self._said = understood(self._answer, self._path, self._decode)
        return self._said


def understood(answer: Answer, path: str, decode: Callable[[bytes], Said]) -> Said | Trouble:
    """What an answer says, or why it says nothing."""
    if answer.status in {401, 403}:
        return Trouble("unauthorized", UNAUTHORIZED)
    if answer.status != 200:
        return Trouble("unsupported", f"answers {answer.status} to GET {path}")
    try:
        return decode(answer.body)
    except DecodeError:
        return Trouble("unsupported", f"GET {path} is not what this engine sends")


def named(names: list[str], source: str) -> ModelFacts | None:
    """Models of which the name is all that is known; None where there is none."""
    return ModelFacts(name=", ".join(names), source=source) if names else None
