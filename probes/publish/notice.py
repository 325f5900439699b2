"""A small file that tells where a process publishes, so that the monitor finds it by itself.

It lies in a folder that its user alone can write to. Nothing in it is believed before its owner, its process and its
URL have been checked; the notices of processes that are gone are taken away by whoever reads them.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import dumps, loads
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

SCHEMA = 1
LARGEST_BYTES = 4096
_URL = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})", re.ASCII)
_NAME = re.compile(r"[1-9][0-9]{0,9}-[0-9]{1,5}\.json", re.ASCII)


class Notice(NamedTuple):
    """Where a living process publishes."""

    pid: int
    started: int | None
    """When it started, in clock ticks since the machine did; None where the system does not say."""
    url: str
    """Loopback, without a path."""
    observer: str
    """"hook", "proxy"."""


def announce(url: str, observer: str) -> Path:
    """Writes the notice of this process.

    Returns:
        The file, for `withdraw`.

    Raises:
        OSError: there is no folder that is this user's alone, or it cannot be written to.
    """
    pid = os.getpid()
    notice = {"schema": SCHEMA, "pid": pid, "started": _started(pid), "url": url, "observer": observer}
    name = f"{pid}-{url.rpartition(':')[2]}.json"
    trouble: OSError | None = None
    for folder in _folders():
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            with _opened(folder) as where:
                _write(where, name, dumps(notice).encode())
        except OSError as error:
            trouble = error
        else:
            return folder / name
    raise trouble or OSError("there is no folder for notices")


def withdraw(notice: Path) -> None:
    """Takes a notice away; it may be gone already."""
    with suppress(OSError):
        notice.unlink()


def announced() -> tuple[Notice, ...]:
    """What living processes of this user have announced, by pid; for root, those of every user."""
    found: dict[str, Notice] = {}
    root = os.geteuid() == 0
    for folder in _folders(everybody=root):
        with suppress(OSError), _opened(folder, anybodys=root) as where:
            for name in filter(_NAME.fullmatch, os.listdir(where)):  # noqa: PTH208  # a Path has no descriptor
                notice = _read(where, name)
                if notice is not None:
                    found[notice.url] = notice
    return tuple(sorted(found.values()))


def _folders(*, everybody: bool = False) -> Iterator[Path]:
    """Where notices may lie, preferred first: another process may have another environment than this one."""
    user = os.geteuid()
    places = (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}")
    temporary = dict.fromkeys((*_temporary(), "/tmp"))  # noqa: S108  # what is found there is checked
    folders = [Path(place, "llmtop") for place in places if place and Path(place).is_absolute()]
    folders += [Path(place, f"llmtop-{user}") for place in temporary]
    if everybody:
        folders += Path("/run/user").glob("*/llmtop")
        folders += [folder for place in temporary for folder in Path(place).glob("llmtop-*")]
    yield from dict.fromkeys(folders)


def _temporary() -> Iterator[str]:
    """The folder for temporary files. There is none where nothing can be written to, as in a read-only container."""
    with suppress(OSError):
        yield gettempdir()


@contextmanager
def _opened(folder: Path, *, anybodys: bool = False) -> Iterator[int]:
    """A descriptor of the folder itself, never of what a link points to.

    Raises:
        OSError: it is not there, others than its owner could have put something there, or it is another user's.
    """
    where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(where)
        if found.st_mode & 0o077 or not (anybodys or found.st_uid == os.geteuid()):
            raise PermissionError(f"{folder} is not this user's alone")
        yield where
    finally:
        os.close(where)


def _write(where: int, name: str, text: bytes) -> None:
    """In one step, so that nobody reads half of it."""
    draft = f".{name}"
    with suppress(FileNotFoundError):
        os.unlink(draft, dir_fd=where)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=where)
    try:
        os.write(file, text)
    finally:
        os.close(file)
    os.rename(draft, name, src_dir_fd=where, dst_dir_fd=where)


def _read(where: int, name: str) -> Notice | None:
    """One notice; None if it is none, or its process is gone: then it is taken away."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=where)
    except OSError:
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.fstat(where).st_uid or found.st_size > LARGEST_BYTES:
            return None
        text = os.read(file, LARGEST_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)
    notice = _understood(text)
    if notice is None or _is_alive(notice):
        return notice if notice and _owns(found.st_uid, notice.pid) else None
    with suppress(OSError):
        os.unlink(name, dir_fd=where)
    return None


def _understood(text: bytes) -> Notice | None:
    try:
        told: object = loads(text)
    except (ValueError, RecursionError):
        return None
    match told:
        case {"schema": 1, "pid": int(pid), "started": int() | None as started, "url": str(url), "observer": str(who)}:
            port = _URL.fullmatch(url)
            if port and int(port[1]) < 1 << 16 and 0 < pid < 1 << 31 and who in {"hook", "proxy"}:
                return Notice(pid, started, url, who)
    return None


def _is_alive(notice: Notice) -> bool:
    """Whether the very process is there: a pid is given again to another one."""
    try:
        os.kill(notice.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return notice.started is None or _started(notice.pid) in {None, notice.started}


def _owns(user: int, pid: int) -> bool:
    """Whether a user runs a process, as far as there is a /proc.

    It shows root as the owner where the process keeps others from looking into it (proc(5)).
    """
    try:
        owner = Path("/proc", str(pid)).stat().st_uid
    except OSError:
        return True
    return owner == user or (owner == 0 and os.geteuid() != 0)


def _started(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat (proc_pid_stat(5)): after the name, which stands in brackets and may hold any."""
    try:
        return int(Path("/proc", str(pid), "stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
