"""Lines of a stream, and the events of a stream of server-sent events. Nothing of what passed is kept."""

import re
from collections.abc import Iterator

LONGEST_LINE = 1 << 20
_PROGRESS = re.compile(rb":\s*keepalive\s+(\d{1,9})/(\d{1,9})\s*", re.ASCII)


class Lines:
    """Cuts blocks into lines. A line that is too long is left out."""

    def __init__(self) -> None:
        self._held = b""
        self._skips = False

    @property
    def held_bytes(self) -> int:
        """Of the line that is not complete yet."""
        return len(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that are complete now, without their ends: a line feed, a carriage return or both."""
        lines = (self._held + data).splitlines(keepends=True)
        # A carriage return at the end may be the first half of a line's end.
        self._held = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if self._skips:
                self._skips = False
            elif len(line) <= LONGEST_LINE:
                yield line.rstrip(b"\r\n")
        if len(self._held) > LONGEST_LINE:
            self._held, self._skips = b"", True

    def end(self) -> Iterator[bytes]:
        """The last line, if nothing ended it."""
        if self._held and not self._skips:
            yield self._held.rstrip(b"\r\n")
        self._held = b""


class Events:
    """Puts the lines of server-sent events together (WHATWG HTML, 9.2.6): several `data:` lines are one event."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._size = 0

    def take(self, line: bytes) -> bytes | None:
        """The data of the event that this line ends, if it ends one that has data."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._size += len(value)
                if self._size <= LONGEST_LINE:
                    self._data.append(value.removeprefix(b" "))
            return None
        data, size = self._data, self._size
        self._data, self._size = [], 0
        return b"\n".join(data) if data and size <= LONGEST_LINE else None


def progress(line: bytes) -> tuple[int, int] | None:
    """Tokens of the prompt that are read, and all of them, from the comments that mlx-lm sends meanwhile."""
    match = _PROGRESS.fullmatch(line) if line.startswith(b":") else None
    return (int(match[1]), int(match[2])) if match else None
