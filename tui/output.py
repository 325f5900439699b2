"""Standard output: written to the end, or given up with one line."""

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TextIO

from .refusal import Refusal

_LOST = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}
"""What a write says when the place that it goes to is full, too small, or gone."""


@contextmanager
def output() -> "Generator[None]":
    """For all that is printed inside: signs that the encoding does not have become "?", and the end is written, too.

    Raises:
        Refusal: there is no standard output, or it takes no more.
        BrokenPipeError: nobody reads it any more; nothing is left to be written then.
    """
    stream: TextIO | None = sys.stdout
    if stream is None:
        raise Refusal("there is no standard output to write to")
    _replace_signs(stream)
    try:
        try:
            yield
        finally:
            stream.flush()
    except BrokenPipeError:
        _forget(stream)
        raise
    except OSError as error:
        if error.filename is not None or error.errno not in _LOST:
            raise
        _forget(stream)
        raise Refusal(f"cannot write to the standard output: {error.strerror}") from None


def say(line: str) -> None:
    """One line on standard error, if there is one."""
    if sys.stderr is None:  # a shell has closed it
        return
    try:
        sys.stderr.write(f"llmtop: {line}\n")
        sys.stderr.flush()
    except OSError:
        _forget(sys.stderr)


def _replace_signs(stream: TextIO) -> None:
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")


def _forget(stream: TextIO) -> None:
    """What could not be written is not tried again when Python ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
