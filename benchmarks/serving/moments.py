"""The moments of tokens as a library's own loop notes them, one a line of a file."""

import bisect
from pathlib import Path


class Moments:
    """Reads what the loop has written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tokens(self, until: float) -> int:
        """Tokens up to this monotonic moment."""
        lines = self._path.read_text().split("\n")[:-1] if self._path.exists() else []
        return bisect.bisect_right([float(line) for line in lines], until)
