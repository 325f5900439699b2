"""The name of the model in the JSON that is asked with: `"model"` of the outermost object, and of no other.

Prompts may hold objects with a "model" of their own, as the arguments of a tool call do; these are the user's business.
"""

import re

from msgspec import DecodeError
from msgspec.json import decode

MOST_SEARCHED = 64 << 20
LONGEST_NAME = 200
_DEEP = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+(["{}\[\]])', re.DOTALL)
"""To the next bracket; or to a string that is not complete yet, and to what follows whole ones."""
_TOP = re.compile(rb'[^"{}\[\]:,]*+(["{}\[\]:,])')
_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class ModelName:
    """Reads a body block by block. Of its text no more is held than a name could be long, and that for one string."""

    def __init__(self) -> None:
        self.found = ""
        """The name, once it has been read; empty where there is none."""
        self.is_over = False
        """Whether nothing more is to be found."""
        self._searched = 0
        self._depth = 0
        self._in_text = False
        self._escape = b""
        self._text = b""
        self._key = b""

    def feed(self, data: bytes) -> None:
        """Takes a block, cut anywhere."""
        self._searched += len(data)
        if self._searched > MOST_SEARCHED:
            self._end()
        data, self._escape, at = self._escape + data, b"", 0
        while not self.is_over and at < len(data):
            at = self._pass_text(data, at) if self._in_text else self._pass_marks(data, at)

    def _pass_marks(self, data: bytes, at: int) -> int:
        """To the next string, bracket, or what parts the members of the outermost object."""
        mark = (_TOP if self._depth == 1 else _DEEP).match(data, at)
        if mark is None:
            return len(data)
        match mark[1]:
            case b'"':
                self._in_text, self._text = True, b""
            case b":":
                self._key = self._text
            case b"{" | b"[":
                self._depth += 1
            case b"}" | b"]":
                self._depth -= 1
            case _:  # a comma: the next member
                pass
        if mark[1] not in b'":':
            self._key = b""
        if not self._depth:  # the object is complete, or it is none
            self._end()
        return mark.end()

    def _pass_text(self, data: bytes, at: int) -> int:
        """To the end of a string."""
        match = _TEXT.match(data, at)
        end = match.end() if match else at
        if self._depth == 1 and len(self._text) <= LONGEST_NAME:
            self._text += data[at : min(end, at + LONGEST_NAME + 1)]
        if data[end : end + 1] != b'"':
            self._escape = data[end:]  # a backslash whose second half is to come
            return len(data)
        self._in_text = False
        if self._key == b"model":
            self._take()
        return end + 1

    def _take(self) -> None:
        if self._depth == 1 and len(self._text) <= LONGEST_NAME:
            try:
                self.found = decode(b'"' + self._text + b'"', type=str)
            except (DecodeError, UnicodeDecodeError):
                self.found = ""
        self._end()

    def _end(self) -> None:
        self.is_over = True
        self._text = self._key = self._escape = b""
