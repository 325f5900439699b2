"""The user's own runs, one line of JSON each, kept from one start of llmtop to the next.

Only what `estimator.own.Run` holds is stored: names of an engine, a device and a model, a ratio and a time. No prompt,
no answer, no address, no path.
"""

import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from ..estimator.own import Run, bare

KEPT = 300
"""Newest runs that count."""
LARGEST = 256 << 10
"""Bytes from which the file is written anew with those alone: about a thousand lines."""

_decode = Decoder(Run).decode


def runs_file() -> Path:
    """Where the runs of this user are kept."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only who looks for the file pays for it

    return user_data_path("llmtop") / "runs.jsonl"


def load(path: Path | None = None) -> list[Run]:
    """The newest runs, oldest first. Lines that are no runs are passed over; no file is no runs."""
    try:
        with (path or runs_file()).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 2 * LARGEST, 0))
            return list(deque(_runs(file), KEPT))
    except OSError:
        return []


def remember(run: Run, path: Path | None = None) -> None:
    """Adds a run behind the others.

    Raises:
        OSError: the file cannot be written.
    """
    path = path or runs_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        broken = size > 0 and file.read(1) != b"\n"
        file.write((b"\n" if broken else b"") + _line(run))
    if size > LARGEST:
        _shorten(path)


def _shorten(path: Path) -> None:
    """Writes the newest runs alone, whole or not at all. What another llmtop adds at this very moment may be lost."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(0o600)
    draft.write_bytes(b"".join(map(_line, load(path))))
    draft.replace(path)


def _line(run: Run) -> bytes:
    return encode(replace(run, model=bare(run.model))) + b"\n"


def _runs(lines: Iterable[bytes]) -> Iterable[Run]:
    for line in lines:
        try:
            yield _decode(line)
        except (DecodeError, ValidationError):
            continue
