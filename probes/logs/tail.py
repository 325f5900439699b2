"""The end of a text file that somebody goes on writing: rotated, truncated, taken away and put back."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

MOST = 1 << 20
"""Bytes taken at one look; what is older than that was written too fast to be a log worth following line by line."""
LONGEST = 1 << 14
"""Bytes of the longest line that is kept; an engine's report is far shorter, a prompt in a debug log far longer."""


class Tail:
    """Follows one file, by name, from its end at the first look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._looked = False

    def lines(self) -> list[str]:
        """The lines that were ended since the last look, without their ends; carriage returns end lines, too.

        Raises:
            OSError: the file cannot be opened, in the words of the system; it is tried again at the next look.
        """
        written = self._read() if self._file is not None else b""
        if self._is_another():
            self._open()
            written += self._read()
        *whole, rest = (self._rest + written).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest if len(rest) <= LONGEST else b""
        return [line.decode(errors="replace") for line in whole if line and len(line) <= LONGEST]

    def _is_another(self) -> bool:
        """Whether the name stands for another file than the one that is open; a name that is gone changes nothing."""
        if self._file is None:
            return True
        try:
            named = self._path.stat()
        except OSError:
            return False
        return not os.path.samestat(named, os.fstat(self._file.fileno()))

    def _open(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._rest = b""
        if not stat.S_ISREG(self._path.stat().st_mode):
            raise OSError(0, "no regular file", str(self._path))
        self._file = self._path.open("rb")
        if not self._looked:
            self._file.seek(0, os.SEEK_END)
        self._looked = True

    def _read(self) -> bytes:
        file = self._file
        if file is None:
            return b""
        size, here = os.fstat(file.fileno()).st_size, file.tell()
        if size < here:
            file.seek(0)
            self._rest, here = b"", 0
        if size - here > MOST:
            file.seek(size - MOST)
            self._rest = b""
        return file.read(MOST)
