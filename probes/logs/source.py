"""A log as a source of samples: whose it is, and what it says now."""

import re
import time
from pathlib import Path

from msgspec.structs import replace

from ..sample import Engine
from .journal import Journal
from .llamacpp import LlamaCppLog
from .report import Report
from .steady import KoboldLog, LmdeployLog, SglangLog, TabbyLog, VllmLog, WebuiLog
from .tail import Tail
from .writer import Writer

KINDS: tuple[type[Report], ...] = (LlamaCppLog, VllmLog, SglangLog, LmdeployLog, TabbyLog, KoboldLog, WebuiLog)
JOURNAL = "journal:"
_COLOUR = re.compile(r"(?:\x1b|\\u001b)\[[0-9;?]*[A-Za-z]")
"""A terminal's escape sequence, as engines colour numbers with; also as it stands in the JSON of Docker."""
_COUNTS = frozenset({"prefilling"})


class LogSource:
    """Follows one log. What it tells goes to the row of the engine that writes it, if that is known."""

    def __init__(self, log: str, *, interval: float) -> None:
        """`log` is a path, or "journal:UNIT"; "URL=" before it names the engine that writes it."""
        url, log = split(log)
        self.interval = interval
        self._log = log
        unit = log.removeprefix(JOURNAL) if log.startswith(JOURNAL) else None
        self._lines = Journal(unit) if unit else Tail(Path(log))
        self._writer = Writer(url, log=None if unit else Path(log), unit=unit)
        self._report: Report | None = None
        self._waiting = [kind() for kind in KINDS]

    @property
    def name(self) -> str:
        """The log, as it was named."""
        return f"log {self._log}"

    @property
    def period(self) -> float:
        """Seconds from one look to the next."""
        return self.interval

    def read(self) -> Engine:
        """What the log says now."""
        now = time.monotonic()
        row = Engine(engine=self._engine, url=self.name, status="ok", upstream=self._writer.url() or self.name)
        try:
            for line in self._lines.lines():
                self._take(_COLOUR.sub("", line), now)
        except OSError as error:
            return replace(row, engine=self._engine, status="unreachable", problem=f"{self._log}: {error.strerror}")
        if self._report is None:
            return replace(row, problem="no line with a rate yet")
        told = {name: int(value) if name in _COUNTS else value for name, value in self._report.now(now).items()}
        live = bool(self._report.source)
        return replace(
            row,
            engine=self._engine,
            decode_source=self._report.source or None,
            prefill_source=self._report.source or None,
            liveness="interval" if live else "request",
            prefill_liveness="interval" if live else "request",
            status="idle" if told.get("requests_running") == 0 else "ok",
            **told,
        )

    def stop(self) -> None:
        """Ends what was started to follow it. Safe while another thread reads."""
        if isinstance(self._lines, Journal):
            self._lines.stop()

    @property
    def _engine(self) -> str:
        return self._report.engine if self._report else "unknown"

    def _take(self, line: str, now: float) -> None:
        """The first kind that knows a line is the kind of the log."""
        if self._report is not None:
            self._report.take(line, now)
            return
        self._report = next((kind for kind in self._waiting if kind.take(line, now)), None)


def split(log: str) -> tuple[str | None, str]:
    """The URL before the log, if there is one, and the log."""
    url, equals, rest = log.partition("=")
    return (url, rest) if equals and url.startswith(("http://", "https://")) else (None, log)
