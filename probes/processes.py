"""Processes of this machine: who listens where, with which command line, and who descends from whom."""

import time
from pathlib import Path

import psutil
from msgspec import Struct

from .process import Process

TELLING = ("xllamacpp", "llama_cpp/lib")
"""Parts of the paths of shared objects that tell an engine inside another program."""
FAMILY_S = 10.0
"""Seconds for which a list of descendants is taken as good: listing them reads every process there is."""


class Listener(Struct, frozen=True):
    """A TCP socket that takes connections; the pid is None where this user may not know it."""

    host: str
    port: int
    pid: int | None


class Family:
    """A process and all that descend from it."""

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._pids: tuple[int, ...] = () if pid is None else (pid,)
        self._listed = float("-inf")

    def pids(self) -> tuple[int, ...]:
        """Their pids, the process first; not older than `FAMILY_S`."""
        if self._pid is not None and time.monotonic() - self._listed > FAMILY_S:
            self._listed = time.monotonic()
            try:
                children = psutil.Process(self._pid).children(recursive=True)
            except psutil.Error:
                return self._pids
            self._pids = (self._pid, *(child.pid for child in children))
        return self._pids


def describe(pid: int) -> Process | None:
    """Name, command line and telling libraries of a process; None when it is gone or hidden from this user."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            name, command = process.name(), tuple(process.cmdline())
    except psutil.Error:
        return None
    name = "".join(sign if sign.isprintable() else "?" for sign in name)  # it is shown; its bytes need be no text
    return Process(pid=pid, command=command, name=name, libraries=_libraries(pid) if name.startswith("python") else ())


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended; True when that cannot be told."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True


def is_listening(port: int) -> bool:
    """Whether somebody listens on this port of this machine, as far as this user may see it."""
    return any(listener.port == port for listener in listeners())


def listeners() -> list[Listener]:
    """All listening TCP sockets of this machine, as far as this user may see them."""
    try:
        found = {
            Listener(socket.laddr.ip, socket.laddr.port, socket.pid)
            for socket in psutil.net_connections(kind="tcp")
            if socket.status == psutil.CONN_LISTEN and socket.laddr
        }
    except psutil.AccessDenied:  # macOS lets only root see the sockets of others
        found = _own_listeners()
    return sorted(found, key=lambda listener: (listener.port, ":" in listener.host, listener.host))


def _own_listeners() -> set[Listener]:
    found: set[Listener] = set()
    for process in psutil.process_iter():
        try:
            sockets = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        found.update(
            Listener(socket.laddr.ip, socket.laddr.port, process.pid)
            for socket in sockets
            if socket.status == psutil.CONN_LISTEN and socket.laddr
        )
    return found


def _libraries(pid: int) -> tuple[str, ...]:
    """The telling shared objects that a process has loaded (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    paths = {line.partition("/")[2] for line in lines if "/" in line}
    return tuple(sorted(f"/{path}" for path in paths if any(part in path for part in TELLING)))
