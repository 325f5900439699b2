"""Small files of the kernel: one value each, gone from one moment to the next."""

import os
from pathlib import Path

ROOT = Path("/")
"""Where `proc` and `sys` are mounted; tests point it elsewhere."""
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
"""What the kernel counts with; more is nonsense, and may be more than a float can hold."""


def read_text(path: Path) -> str | None:
    """Content without the blanks around it; None when it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """A whole number of 64 bits, also as "0x1002"; None when there is none."""
    text = read_text(path)
    try:
        number = int(text, 0) if text else None
    except ValueError:
        return None
    return number if number is not None and _LEAST <= number <= _MOST else None


def read_measure(path: Path, parts: float, most: float, *, least: float = 0.0) -> float | None:
    """What a file counts in parts of a unit, in units; None also for nonsense: below `least` or above `most`."""
    number = read_number(path)
    return number / parts if number is not None and least <= number / parts <= most else None


def writable(path: Path) -> bool:
    """Whether this user may write it; False for what is not there, and where the file system is read-only."""
    return os.access(path, os.W_OK)
