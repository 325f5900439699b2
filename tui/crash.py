"""Faults of llmtop itself: the traceback goes to a file, one line to the person."""

import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType

from .output import say


def install() -> None:
    """From now on no traceback reaches the terminal, neither from the main thread nor from another."""
    sys.excepthook = _main
    threading.excepthook = _thread


def note(error: BaseException, where: str) -> Path | None:
    """Writes the traceback to the log file and returns its path; None when it cannot be written."""
    from platformdirs import user_log_path  # noqa: PLC0415

    path = user_log_path("llmtop") / "llmtop.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {where}\n")
            traceback.print_exception(error, file=log)
    except OSError:
        return None
    return path


def line(error: BaseException, path: Path | None) -> str:
    """What a person is told."""
    kept = f"; {path} has the details: please report it with them" if path else ""
    return f"a fault in llmtop itself ({type(error).__name__}){kept}"


def _main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del kind, trace
    say(line(error, note(error, "main")))


def _thread(crash: threading.ExceptHookArgs) -> None:
    """The screen belongs to the monitor, where a source that has fallen silent says so."""
    if crash.exc_value is not None:
        note(crash.exc_value, crash.thread.name if crash.thread else "thread")
