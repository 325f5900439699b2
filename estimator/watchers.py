"""Engines that publish no live count, beside those who watch them: a proxy before them, or their log."""

from urllib.parse import urlsplit

from msgspec import structs

from ..probes.sample import Engine, Sample

COUNTED = (
    "decode_tokens",
    "prefill_tokens",
    "decode_source",
    "prefill_source",
    "liveness",
    "prefill_liveness",
    "about",
    "decode_tps",
    "prefill_tps",
    "requests_running",
    "prefilling",
    "context_tokens",
    "ttft",
    "tpot",
    "drafts",
    "drafted_tokens",
    "accepted_tokens",
)
"""What is taken from whoever watches, where it knows it."""


class Watchers:
    """Decides which row a reading belongs to.

    A watcher's counts go to the row of the engine that it watches, unless that one publishes a live count itself. Only
    where no such row exists does the watcher have one.
    """

    def __init__(self) -> None:
        self._engines: dict[str, Engine] = {}
        self._watchers: dict[str, tuple[Sample, Engine]] = {}

    def assign(self, sample: Sample, reading: Engine) -> tuple[str, Engine] | None:
        """The source whose row it is and what to put there; None for a reading that brings that row nothing new."""
        if reading.upstream is None:
            self._engines[sample.source] = reading
            watcher = self._watcher_of(reading, sample.time)
            return None if watcher is not None and reading.status in {"ok", "idle"} else (sample.source, reading)
        self._watchers[sample.source] = (sample, reading)
        if reading.status not in {"ok", "idle"}:
            del self._watchers[sample.source]
        for source, engine in self._engines.items():
            if watches(reading, engine):
                return (source, together(engine, reading)) if engine.status in {"ok", "idle"} else None
        return sample.source, reading

    def drop(self, source: str) -> None:
        """Forgets a source that says nothing more."""
        self._engines.pop(source, None)
        self._watchers.pop(source, None)

    def _watcher_of(self, engine: Engine, now: float) -> Engine | None:
        for seen, reading in self._watchers.values():
            if watches(reading, engine) and now - seen.time <= 3 * seen.period + 3:
                return reading
        return None


def watches(watcher: Engine, engine: Engine) -> bool:
    """Whether it stands before this engine, and that one does not tell how fast it is by itself."""
    is_live = engine.liveness in {"token", "step", "interval"}
    return not is_live and watcher.upstream is not None and _place(watcher.upstream) == _place(engine.url)


def together(engine: Engine, watcher: Engine) -> Engine:
    """What the engine says of itself, with the counts of who watches it."""
    seen = {name: value for name in COUNTED if (value := getattr(watcher, name)) is not None}
    engine = structs.replace(engine, **seen)
    is_nameless = engine.model is None
    return structs.replace(
        engine, status=watcher.status, problem=None, model=watcher.model if is_nameless else engine.model
    )


def _place(url: str) -> tuple[str, int | None]:
    """Host and port; all names of this machine are one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url, None
    is_loopback = host in {"localhost", "::1", "0.0.0.0", "::"} or host.startswith("127.")  # noqa: S104  # compared
    return ("localhost" if is_loopback else host), port or {"http": 80, "https": 443}.get(parts.scheme)
