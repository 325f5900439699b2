"""Small files of the kernel: one value each, gone from one moment to the next."""

import os
from pathlib import Path

ROOT = Path("/")
"""Where `proc` and `sys` are mounted; tests point it elsewhere."""


def read_text(path: Path) -> str | None:
    """Content without the blanks around it; None when it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """A whole number, also as "0x1002"; None when there is none."""
    text = read_text(path)
    try:
        return int(text, 0) if text else None
    except ValueError:
        return None


def writable(path: Path) -> bool:
    """Whether this user may write it; False for what is not there, and where the file system is read-only."""
    return os.access(path, os.W_OK)
