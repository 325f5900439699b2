"""Short commands of macOS, asked for what they print."""

import subprocess
from collections.abc import Callable, Sequence

_TIMEOUT_S = 2.0
"""`ioreg` takes some 50 ms, the others less."""

Run = Callable[[Sequence[str]], bytes]
"""Runs a command and tells what it printed: nothing where it is missing or hangs. Its exit status says nothing."""


def run(command: Sequence[str]) -> bytes:
    """Standard output. Asks nothing of a person: there is no input."""
    try:
        told = subprocess.run(  # noqa: S603 - fixed commands, by their full paths
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return told.stdout
