"""What an engine streams: how many tokens an event brings. The text itself is not kept."""

from collections.abc import Iterator
from typing import Protocol

import msgspec
from msgspec import Struct

MOST_BYTES = 1 << 20
"""Of one line."""


class Lines(Protocol):
    """An answer that is read line by line."""

    def readline(self, limit: int = -1, /) -> bytes:
        """The next line, b"" at the end."""
        ...


class _Details(Struct):
    cached_tokens: int | None = None


class Usage(Struct):
    """What the engine says that a request was."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None

    @property
    def read_in(self) -> int | None:
        """Prompt tokens that were not in its cache."""
        cached = self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0
        return None if self.prompt_tokens is None else max(self.prompt_tokens - (cached or 0), 0)


class _Delta(Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None

    @property
    def has_text(self) -> bool:
        return bool(self.content or self.reasoning_content or self.reasoning)


class _Choice(Struct):
    text: str | None = None
    delta: _Delta | None = None

    @property
    def has_text(self) -> bool:
        return bool(self.text) or bool(self.delta and self.delta.has_text)


class _Told(Struct):
    message: str | None = None


class Event(Struct):
    """One event of a stream."""

    choices: list[_Choice] = []
    usage: Usage | None = None
    error: _Told | str | None = None

    @property
    def has_text(self) -> bool:
        """Whether it brings a token, or a few at once."""
        return any(choice.has_text for choice in self.choices)

    @property
    def trouble(self) -> str | None:
        """What the engine says went wrong in the middle."""
        return self.error.message if isinstance(self.error, _Told) else self.error


decode = msgspec.json.Decoder(Event).decode


def events(lines: Lines) -> Iterator[Event]:
    """The events of a stream, up to `[DONE]` or its end.

    Raises:
        msgspec.DecodeError: it is none that an engine sends.
        RecursionError: the same, nested without end.
    """
    while line := lines.readline(MOST_BYTES):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        yield decode(data)


def message(answer: bytes) -> str:
    """The reason that the body of a refusal gives; "" where it gives none."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return ""
    while isinstance(found, dict):
        known: dict[str, object] = found  # pyright: ignore[reportUnknownVariableType]
        found = known.get("error") or known.get("message") or known.get("detail")
    return found if isinstance(found, str) else ""
