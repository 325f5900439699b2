"""Where a Ray cluster publishes its counts: an exporter on each node, found through a local file or the command line.

The file `prom_metrics_service_discovery.json` in Ray's folder lists all exporters of the last session, for Prometheus,
and needs no token, unlike the same list of the dashboard (ray/_private/metrics_agent.py, 2.60). An exporter answers
with the metrics of its whole node, about 1 MB, which change every 10 s (RAY_metrics_report_interval_ms).
"""

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import psutil
from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..address import Address
from ..exposition import BadExposition, Series, parse
from ..fetch import Fetch, FetchError
from ..process import Process
from ..processes import describe

FOLDER = Path("/tmp/ray")  # noqa: S108  # where Ray has it unless --temp-dir names another
METRICS = "/metrics"
AGAIN_S = 30.0
"""Seconds after which the list is read anew: nodes come and go."""
QUIET_S = 8.0
"""Seconds after a change in which no other one is to be expected: nobody is asked."""
IDLE_S = 25.0
"""Seconds without a change after which they are asked every `SELDOM_S` only."""
SELDOM_S = 2.0
_FILE = "prom_metrics_service_discovery.json"
_MOST_BYTES = 64 << 10
_MOST_NODES = 64
_WORKS = ("ray::ServeReplica", "ray::RayWorker", "VLLM::", "sglang::")
"""How the titles of processes begin that may hold a model."""


class _Group(Struct, frozen=True):
    targets: tuple[str, ...] = ()


_decode_groups = Decoder(list[_Group]).decode


class Exporters:
    """Asks the exporters of all nodes, no more often than their counts may change. They are sent no key."""

    def __init__(self, places: Callable[[], tuple[str, ...]], names: Collection[str], count: Collection[str]) -> None:
        """Nothing is asked yet.

        Args:
            places: their URLs, as of now.
            names: the samples that are read.
            count: those of them that tell whether anything has changed.
        """
        self._places = places
        self._names = names
        self._count = count
        self._listed = self._asked = self._changed = float("-inf")
        self._fetches: dict[str, Fetch] = {}
        self._series = Series({})
        self.told: tuple[str, ...] = ()
        """Sites of those that had something to tell at the last question."""
        self.problem: str | None = None
        """Why none of them answers; None where one does."""

    def read(self) -> Series:
        """What they say together; empty where none says anything."""
        now = time.monotonic()
        if now - self._asked >= self._rest(now):
            before = self._total()
            self._asked = now
            self._series = self._ask(now)
            if self._total() != before:
                self._changed = time.monotonic()
        return self._series

    def _rest(self, now: float) -> float:
        """Seconds to leave between two questions. Several series change at different moments."""
        since = now - self._changed
        if since < QUIET_S and sum(len(self._series.get(name)) for name in self._count) == 1:
            return QUIET_S - (self._changed - self._asked)
        return SELDOM_S if since > IDLE_S and self.told else 0.0

    def _total(self) -> float | None:
        name = self._series.first(self._count)
        return self._series.total(name) if name else None

    def _ask(self, now: float) -> Series:
        """All that are listed from time to time; in between those that have the wanted counts."""
        if now - self._listed >= AGAIN_S or not self.told:
            self._listed = now
            found = (_fetch(url) for url in self._places())
            self._fetches = {fetch.url: fetch for fetch in found if fetch}
        samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        useful: dict[str, Fetch] = {}
        problem, answers = None if self._fetches else "no exporter of Ray's metrics is known", 0
        for url, fetch in self._fetches.items():
            try:
                answer = fetch.get(METRICS)
                series = parse(answer.body, self._names)
            except (FetchError, BadExposition) as error:
                problem = problem or str(error)
                continue
            if answer.status != 200:
                problem = problem or f"{Address.parse(url).site} answers {answer.status} to GET {METRICS}"
                continue
            answers += 1
            for name in self._names:
                if rows := series.get(name):
                    samples.setdefault(name, []).extend(rows)
                    useful[url] = fetch
        self.told = tuple(Address.parse(url).site for url in useful)
        self.problem = None if answers else problem
        self._fetches = useful or self._fetches
        return Series(samples)


def places(process: Process | None, folder: Path) -> tuple[str, ...]:
    """URLs of the exporters of the cluster of a process; that of its own node where the file is another cluster's.

    Args:
        process: one that its `raylet` has started; None where nobody knows.
        folder: Ray's folder, unless the `raylet` names another.
    """
    raylet = _raylet(process)
    own = raylet.number("--metrics-export-port") if raylet else None
    listed = tuple(_listed(Path(raylet.option("--temp-dir") or folder) if raylet else folder))
    if own and not any(target.endswith(f":{own}") for target in listed):
        return (f"http://127.0.0.1:{own}",)
    return tuple(f"http://{target}" for target in listed)


def workers(process: Process) -> tuple[int, ...]:
    """Pids of the processes of its node that may hold a model: no children of the one that listens."""
    raylet = _raylet(process)
    if raylet is None:
        return ()
    found: list[int] = []
    for pid in _descendants(raylet.pid):
        each = describe(pid)
        if each and each.command and each.command[0].startswith(_WORKS):
            found.append(pid)
    return tuple(found)


def siblings(process: Process) -> tuple[Process, ...]:
    """All that its `raylet` has started on this machine."""
    raylet = _raylet(process)
    described = (describe(pid) for pid in _descendants(raylet.pid)) if raylet else ()
    return tuple(each for each in described if each)


def _descendants(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _raylet(process: Process | None) -> Process | None:
    try:
        parent = psutil.Process(process.pid).parent() if process else None
    except psutil.Error:
        return None
    found = describe(parent.pid) if parent else None
    return found if found and found.program == "raylet" else None


def _listed(folder: Path) -> Iterator[str]:
    """The targets of the file; none where it cannot be read."""
    try:
        with (folder / _FILE).open("rb") as file:
            groups = _decode_groups(file.read(_MOST_BYTES))
    except (OSError, DecodeError):
        return
    targets = dict.fromkeys(target for group in groups for target in group.targets)
    yield from list(targets)[:_MOST_NODES]


def _fetch(url: str) -> Fetch | None:
    try:
        return Fetch(url).only(frozenset({METRICS}))
    except FetchError:
        return None
