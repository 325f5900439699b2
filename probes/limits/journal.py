"""What was changed and has to be put back, on disk before it is changed."""

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from .contract import Address
from .folder import remove_file, replace_file
from .left import BEGIN, END

SAME_W = 0.5
"""Watts between two readings of a limit that nobody changed: units of RAPL are 1/8 W, of amdgpu 1 W."""
ROUNDED_W = 5.0
"""Watts by which a driver may round what it is asked for."""


class Entry(Struct, frozen=True, kw_only=True):
    """One limit that an llmtop has in its hands."""

    address: Address
    device: str
    name: str
    original_w: float
    written_w: float | None = None
    """What the device said after the last write; None before the first, and after it was put back."""
    pending_w: float | None = None
    """What is being written; None when it is not."""

    @property
    def clean(self) -> bool:
        """Whether nothing of it was changed."""
        return self.written_w is None and self.pending_w is None

    @property
    def untouched(self) -> "Entry":
        """The same limit with nothing to put back."""
        return replace(self, written_w=None, pending_w=None)

    def back(self, now_w: float) -> bool:
        """Whether a limit that stands at `now_w` needs no more to be put back."""
        return abs(now_w - self.original_w) <= SAME_W

    def ours(self, now_w: float) -> bool:
        """Whether llmtop set it to `now_w`, rather than somebody since."""
        written = self.written_w is not None and abs(now_w - self.written_w) <= SAME_W
        return written or (self.pending_w is not None and abs(now_w - self.pending_w) <= ROUNDED_W)


class State(Struct, frozen=True, kw_only=True):
    """All that one llmtop has changed."""

    pid: int
    at: float
    """Seconds of the clock on the wall when this was written."""
    entries: tuple[Entry, ...]

    @property
    def clean(self) -> bool:
        """Whether there is nothing to put back."""
        return all(entry.clean for entry in self.entries)


_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(State).decode


def now(entries: tuple[Entry, ...]) -> State:
    """The state of this process at this moment."""
    return State(pid=os.getpid(), at=time.time(), entries=entries)


def line(state: State) -> bytes:
    """The state in one line."""
    return _encode(state) + b"\n"


def parse(text: bytes) -> State | None:
    """The state of one line; None for what is none."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class Journal:
    """The file of one process. It is there only while there is something to put back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_this_process(cls, folder: Path) -> "Journal":
        """A new one. The number tells it from that of a process with the same id in another container."""
        return cls(folder / f"{BEGIN}{os.getpid()}-{os.urandom(3).hex()}{END}")

    def read(self) -> State | None:
        """What stands there; None where there is nothing, or nothing that makes sense."""
        try:
            return parse(self.path.read_bytes())
        except OSError:
            return None

    def write(self, state: State) -> None:
        """Brings it to the disk, and returns when it is there.

        Raises:
            OSError: it cannot be.
        """
        if state.clean:
            remove_file(self.path)
        else:
            replace_file(self.path, line(state))
