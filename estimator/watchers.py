"""Engines that publish no live count, beside those who watch them: a proxy before them, or their log."""

from urllib.parse import urlsplit

from msgspec import structs

from ..probes.sample import Engine, Sample

ALIVE = frozenset({"ok", "idle"})
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
    "last_decode_tps",
    "last_prefill_tps",
    "requests_running",
    "requests_waiting",
    "kv_cache_usage",
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
        self._speakers: dict[str, str] = {}
        """By the source of an engine, whose counts it has: those of two watchers are no one count."""

    def assign(self, sample: Sample, reading: Engine) -> tuple[str, Engine | None]:
        """The source whose row it is, and what to put there: None where it brings that row nothing new."""
        if reading.upstream is None:
            self._engines[sample.source] = reading
            watched = self._is_watched(reading, sample.time) and reading.status in ALIVE
            return sample.source, None if watched else reading
        self._watchers[sample.source] = (sample, reading)
        if reading.status not in ALIVE:
            del self._watchers[sample.source]
        for source, engine in self._engines.items():
            if stands_before(reading, engine):
                tells = speaks(reading) and engine.status in ALIVE and not is_live(engine)
                return source, together(engine, reading) if tells and self._may_speak(source, sample) else None
        return sample.source, reading

    def drop(self, source: str) -> None:
        """Forgets a source that says nothing more."""
        self._engines.pop(source, None)
        self._speakers.pop(source, None)
        self._watchers.pop(source, None)

    def _may_speak(self, engine: str, sample: Sample) -> bool:
        """Whether its counts are those of the row; another one may have been first, and is kept while it speaks."""
        first = self._speakers.get(engine, sample.source)
        seen, reading = self._watchers.get(first, (None, None))
        if first == sample.source or seen is None or reading is None or not _is_fresh(seen, sample.time):
            self._speakers[engine] = sample.source
            return True
        better = reading.liveness == "interval" and self._watchers[sample.source][1].liveness == "token"
        if better:  # a proxy sees more than a log
            self._speakers[engine] = sample.source
        return better

    def _is_watched(self, engine: Engine, now: float) -> bool:
        """Whether somebody who watches it speaks for it now."""
        return not is_live(engine) and any(
            speaks(reading) and stands_before(reading, engine) and _is_fresh(seen, now)
            for seen, reading in self._watchers.values()
        )


def is_live(engine: Engine) -> bool:
    """Whether it tells by itself how fast it is."""
    return engine.liveness in {"token", "step", "interval"}


def speaks(watcher: Engine) -> bool:
    """Whether it has anything to tell: a log without a line of interest has not."""
    return watcher.status in ALIVE and watcher.liveness is not None


def stands_before(watcher: Engine, engine: Engine) -> bool:
    """Whether it is this engine whose answers, or whose log, the watcher counts."""
    return watcher.upstream is not None and _place(watcher.upstream) == _place(engine.url)


def together(engine: Engine, watcher: Engine) -> Engine:
    """What the engine says of itself, with the counts of who watches it."""
    seen = {name: value for name in COUNTED if (value := getattr(watcher, name)) is not None}
    engine = structs.replace(engine, **seen)
    status = engine.status if watcher.requests_running is None else watcher.status
    return structs.replace(engine, status=status, problem=None, model=engine.model or watcher.model)


def _is_fresh(seen: Sample, now: float) -> bool:
    return now - seen.time <= 3 * seen.period + 3


def _place(url: str) -> tuple[str, int | None]:
    """Host and port; all names of this machine are one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url, None
    is_loopback = host in {"localhost", "::1", "0.0.0.0", "::"} or host.startswith("127.")  # noqa: S104  # compared
    return ("localhost" if is_loopback else host), port or {"http": 80, "https": 443}.get(parts.scheme)
