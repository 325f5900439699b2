"""`llmtop engines`: every engine that can be read, how, and what there is of them on this machine."""

import argparse
import sys
import time
from collections.abc import Sequence
from threading import Thread

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from ..estimator.snapshot import SCHEMA
from ..probes.discover import Discovery
from ..probes.engines import ENGINES
from ..probes.engines.contract import Endpoint, Way
from ..probes.engines.libraries import LIBRARIES
from ..probes.engines.source import EngineSource
from ..probes.sample import Engine, Liveness
from .format import UNKNOWN

PATIENCE_S = 6.0
"""Seconds that a place may take to say what it is: some paths are asked one after the other, 2 s each."""
WIDE = 160
"""Columns where no terminal says how many there are."""
MOVES: dict[Liveness, str] = {
    "token": "with every token",
    "step": "with every step",
    "interval": "every few seconds",
    "request": "at request end",
}


class Supported(Struct, frozen=True):
    """An engine, and how it is read."""

    engine: str
    decode: str
    liveness: Liveness
    needs: str | None
    ports: tuple[int, ...] = ()


class Found(Struct, frozen=True):
    """A place on this machine that was worth a question, and what is there."""

    url: str
    engine: str | None
    status: str
    model: str | None = None
    decode_source: str | None = None
    liveness: Liveness | None = None
    process: str | None = None
    """Name and pid of who listens there."""
    problem: str | None = None
    """Why it is not read, or not live."""

    @property
    def site(self) -> str:
        """Host and port, or what else it is called."""
        return self.url.partition("://")[2].rstrip("/") or self.url

    @property
    def place(self) -> str:
        """As people speak of it: "port 8080" on this machine."""
        host, _, port = self.site.rpartition(":")
        return f"port {port}" if host in {"127.0.0.1", "localhost", "[::1]"} else self.site


class Document(Struct, frozen=True):
    """The JSON of the command."""

    schema: int
    found: tuple[Found, ...]
    supported: tuple[Supported, ...]


def engines(options: argparse.Namespace, api_key: str | None) -> int:
    """Prints it."""
    found = look(options.url, everything=not options.no_discover, api_key=api_key)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(Document(SCHEMA, found, supported()))).decode())  # noqa: T201
        return 0
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDE)
    with console.capture() as shown:
        if found:
            console.print("Found here", _found_table(found), sep="\n")
        else:
            console.print("Found here: nothing. Name an engine that listens where llmtop does not look: --url URL")
        for each in found:
            if each.problem:
                who = f" ({each.process})" if each.process and each.engine is None else ""
                console.print(f"{each.place}{who}: {each.problem}")
        console.print("\nCan be read", _supported_table(supported()), sep="\n")
    print(*(line.rstrip() for line in shown.get().splitlines()), sep="\n")  # noqa: T201
    return 0


def supported() -> tuple[Supported, ...]:
    """All engines, by name."""
    ways: list[tuple[str, Way, tuple[int, ...]]] = [(engine.name, engine.way, engine.ports) for engine in ENGINES]
    ways += [(name, way, ()) for name, way in LIBRARIES.items()]
    rows = [
        Supported(name, way.decode, way.liveness, way.needs, ports) for name, way, ports in ways if name != "llmtop"
    ]
    return tuple(sorted(rows, key=lambda row: row.engine.lower()))


def look(urls: Sequence[str], *, everything: bool, api_key: str | None) -> tuple[Found, ...]:
    """Asks every place once, all at the same time; one that hangs is left alone after `PATIENCE_S`."""
    places: list[Endpoint] = []
    discovery = Discovery(places.append, list(urls), everything=everything)
    discovery.look()
    answers: dict[str, Found | None] = {}

    def ask(place: Endpoint) -> None:
        answers[place.url] = _ask(place, api_key)

    threads = [Thread(target=ask, args=(place,), daemon=True) for place in places]
    deadline = time.monotonic() + PATIENCE_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))
    hung = {
        place.url: Found(place.url, None, "unreachable", process=_process(place), problem="hangs") for place in places
    }
    return tuple(found for place in places if (found := answers.get(place.url, hung[place.url])) is not None)


def _ask(place: Endpoint, api_key: str | None) -> Found | None:
    """What is there; None for an engine that speaks through those that it has started."""
    source = EngineSource(place, interval=1.0, api_key=api_key)
    reading = source.read()
    if not isinstance(reading, Engine):
        reason = source.reason
        return Found(place.url, None, "unknown", process=_process(place), problem=reason) if reason else None
    return Found(
        url=reading.url,
        engine=None if reading.engine == "unknown" else reading.engine,
        status=reading.status,
        model=reading.model.name if reading.model else None,
        decode_source=reading.decode_source,
        liveness=reading.liveness,
        process=_process(place),
        problem=reading.problem,
    )


def _process(place: Endpoint) -> str | None:
    return f"{place.process.name}, pid {place.process.pid}" if place.process else None


def _found_table(found: Sequence[Found]) -> Table:
    table = _table("at", "engine", "status", "model", "decode rate from")
    for each in found:
        live = f", {MOVES[each.liveness]}" if each.liveness else ""
        source = f"{each.decode_source}{live}" if each.decode_source else UNKNOWN
        table.add_row(each.site, each.engine or UNKNOWN, each.status, each.model or UNKNOWN, source)
    return table


def _supported_table(rows: Sequence[Supported]) -> Table:
    table = _table("engine", "decode rate from", "it moves", "port", "needs")
    for row in rows:
        ports = ", ".join(map(str, row.ports)) or UNKNOWN
        table.add_row(row.engine, row.decode, MOVES[row.liveness], ports, row.needs or "nothing")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for heading in headings:
        table.add_column(heading.upper(), overflow="fold")
    return table
