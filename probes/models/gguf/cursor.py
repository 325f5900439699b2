"""Reads the front of a file, as little of it as it takes."""

import struct
from typing import BinaryIO

from ..bad import BadModelFile

_STEP = 1 << 18
"""Bytes that are read at once; what has been passed is dropped, so that a long header takes no memory."""
LIMIT = 1 << 27
"""No header is longer, in bytes: the longest known ones have some 30 MB."""
_MOST_STRINGS = 1 << 22
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""By value type: the code of `struct`."""
STRING, ARRAY = 8, 9
_CODES = {kind: struct.Struct(f"<{code}") for kind, code in _SCALARS.items()}
_LENGTH = struct.Struct("<Q")


class Cursor:
    """A position in the front of a file. Every read raises BadModelFile where the file or the sense ends."""

    def __init__(self, path: object, file: BinaryIO, size: int) -> None:
        self._path = path
        self._file = file
        self.size = size
        self.position = 0
        self._start = 0  # where in the file the buffer begins
        self._buffer = b""

    def fail(self, why: str) -> BadModelFile:
        """The error to raise."""
        return BadModelFile(self._path, why)

    def u32(self) -> int:
        """An unsigned number of 4 bytes."""
        return int(self.scalar(4))

    def u64(self) -> int:
        """An unsigned number of 8 bytes."""
        return int(self.scalar(10))

    def scalar(self, kind: int) -> float:
        """A number of a value type."""
        code = _CODES.get(kind)
        if code is None:
            raise self.fail(f"a value of type {kind}, which GGUF does not have")
        start = self._advance(code.size)
        (value,) = code.unpack_from(self._buffer, start)
        return value  # type: ignore[no-any-return]

    def string(self, longest: int) -> str | None:
        """A text; None if it has more bytes than `longest`."""
        length = self.u64()
        if length > longest:
            self._skip(length)
            return None
        start = self._advance(length)
        return self._buffer[start : start + length].decode("utf-8", "replace")

    def array(self, longest: int) -> tuple[float, ...] | None:
        """An array of numbers; None if it has more items than `longest`, or other items."""
        kind, count = self.u32(), self.u64()
        if kind == STRING:
            self._skip_strings(count)
            return None
        code = _CODES.get(kind)
        if code is None:
            raise self.fail(f"an array of type {kind}, which GGUF does not have")
        if count > longest:
            self._skip(count * code.size)
            return None
        start = self._advance(count * code.size)
        return struct.unpack_from(f"<{count}{_SCALARS[kind]}", self._buffer, start)

    def _skip(self, count: int) -> None:
        """Passes `count` bytes without reading them."""
        self._check(self.position + count)
        self.position += count

    def _skip_strings(self, count: int) -> None:
        if count > _MOST_STRINGS:
            raise self.fail(f"an array of {count} texts")
        unpack, left = _LENGTH.unpack_from, count
        at = self.position - self._start
        while left:
            buffer = self._buffer
            try:
                for left in range(left, 0, -1):  # noqa: B007, B020 # goes on where it had to stop
                    at += unpack(buffer, at)[0] + 8
                left = 0
            except (struct.error, OverflowError):
                self.position = self._start + at
                self._fill(8)
                at = self.position - self._start
        self.position = self._start + at
        self._fill(0)

    def _advance(self, count: int) -> int:
        """Where in the buffer the next `count` bytes begin, which are there then."""
        if self.position + count > self._start + len(self._buffer):
            self._fill(count)
        start = self.position - self._start
        self.position += count
        return start

    def _fill(self, count: int) -> None:
        """Brings the next `count` bytes into the buffer, and drops those that have been passed."""
        self._check(self.position + count)
        have = self._start + len(self._buffer)
        kept = self._buffer[self.position - self._start :] if self.position < have else b""
        self._file.seek(max(self.position, have))
        piece = self._file.read(max(_STEP, count - len(kept)))
        self._start, self._buffer = self.position, kept + piece
        if len(self._buffer) < count:
            raise self.fail("the file became shorter while it was read")

    def _check(self, end: int) -> None:
        """Whether a header may go on to this position."""
        if end > self.size:
            raise self.fail(f"the file ends in the middle of its header, at {self.size} bytes")
        if end > LIMIT:
            raise self.fail(f"a header of more than {LIMIT >> 20} MiB")
