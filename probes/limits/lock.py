"""One llmtop at a time has a device in its hands."""

import fcntl
import hashlib
import os
import re
from pathlib import Path
from typing import IO

from .contract import Address, LimitError
from .folder import SYSTEM, prepare


class Locked(LimitError):
    """Another process has it."""

    def __init__(self, name: str, pid: int | None) -> None:
        who = f"another llmtop (pid {pid})" if pid else "another llmtop"
        super().__init__(f"{name}: {who} is tuning it; end that one first")
        self.pid = pid


class DeviceLock:
    """Held until `release`, and by each process that inherited the file: the watchdog keeps it until it is done."""

    def __init__(self, address: Address, name: str, folder: Path, *, create: bool = True) -> None:
        """Takes it.

        A user's llmtop also minds the lock of root's; it lies where everybody may look. Without `create`, as in a
        folder of somebody else, a lock that is not there is held by nobody.

        Raises:
            Locked: another process has it.
            LimitError: the folder does not take locks.
        """
        self._files: list[IO[bytes]] = []
        try:
            self._take(folder / _file_name(address), name, own=create)
            system = SYSTEM / _file_name(address)
            if folder != SYSTEM and system.exists():
                self._take(system, name, own=False)
        except BaseException:
            self.release()
            raise

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a child has to inherit to hold it too."""
        return tuple(file.fileno() for file in self._files)

    def release(self) -> None:
        """Lets go of it; others that inherited it still hold it."""
        for file in self._files:
            file.close()
        self._files.clear()

    def _take(self, path: Path, name: str, *, own: bool) -> None:
        if own:
            prepare(path.parent)
        flags = (os.O_RDWR | os.O_CREAT) if own else os.O_RDONLY
        try:
            file = os.fdopen(os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644), "r+b" if own else "rb", 0)
        except OSError as error:
            if not own:
                return
            raise LimitError(f"{path} cannot be opened: {error.strerror}; without it no limit is changed") from None
        self._files.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(name, _number(os.pread(file.fileno(), 32, 0))) from None
        except OSError as error:
            raise LimitError(f"{path} cannot be locked: {error.strerror}; without that no limit is changed") from None
        if own:
            try:
                file.truncate(0)
                os.pwrite(file.fileno(), b"%d\n" % os.getpid(), 0)
            except OSError:  # a full disk: the lock holds without the number
                return


def _file_name(address: Address) -> str:
    digest = hashlib.sha256(f"{address.kind} {address.at}".encode()).hexdigest()[:12]
    words = re.sub(r"[^A-Za-z0-9.]+", "-", address.at)[-60:].strip("-")
    return f"{words}-{digest}.lock"


def _number(text: bytes) -> int | None:
    return int(text) if text.strip().isdigit() else None
