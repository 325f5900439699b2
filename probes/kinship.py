"""Who started whom: engines behind other engines, and owners of sockets that the kernel does not name to this user."""

import psutil
from msgspec.structs import replace

from .address import Address
from .engines import ENGINES, HOSTS
from .engines.contract import Endpoint, Host
from .process import Process
from .processes import Listener, describe

GENERATIONS = 4
"""How far up the parents of a process are looked at: a shell or a launcher may stand between."""


def related(endpoints: dict[str, Endpoint]) -> dict[str, Endpoint]:
    """The same endpoints, each with the engine that has started it and with those that it has started.

    An engine that listens at several places (its API, a page for people) has its children at each of them.
    """
    children: dict[int, list[str]] = {}
    found: dict[str, Endpoint] = {}
    for url, endpoint in endpoints.items():
        parent = _host(endpoint.process) if endpoint.process else None
        if parent is not None:
            endpoint = replace(endpoint, host=Host(url=_place(parent, endpoints) or url, process=parent))  # noqa: PLW2901
            children.setdefault(parent.pid, []).append(url)
        found[url] = endpoint
    return {
        url: replace(endpoint, children=tuple(children.get(endpoint.process.pid, ()))) if endpoint.process else endpoint
        for url, endpoint in found.items()
    }


def owned(listeners: list[Listener]) -> list[Listener]:
    """The same sockets; those of other users get the one engine process whose command line names their port.

    Command lines can be read where the owner of a socket cannot: Ollama as a service runs under a user of its own.
    """
    if all(listener.pid is not None for listener in listeners):
        return listeners
    engines = _engines_by_port()
    return [
        listener if listener.pid is not None else Listener(listener.host, listener.port, engines.get(listener.port))
        for listener in listeners
    ]


def _host(child: Process) -> Process | None:
    """The nearest of its parents that has started it to serve a model."""
    if not HOSTS:
        return None
    try:
        parents = psutil.Process(child.pid).parents()[:GENERATIONS]
    except psutil.Error:
        return None
    described = (describe(parent.pid) for parent in parents)
    return next((parent for parent in described if parent and any(host.started(child, parent) for host in HOSTS)), None)


def _place(parent: Process, endpoints: dict[str, Endpoint]) -> str | None:
    """Where it listens for clients: the port that a person named, or its usual one, or the first."""
    usual = {port for host in HOSTS if host.claims(parent) for port in host.ports}
    places = [each for each in endpoints.values() if each.process == parent]
    places.sort(key=lambda each: not (each.explicit or Address.parse(each.url).port in usual))
    return places[0].url if places else None


def _engines_by_port() -> dict[int, int]:
    """By port, the pid of the only engine that should listen there by its command line."""
    found: dict[int, set[int]] = {}
    for pid in psutil.pids():
        process = describe(pid)
        engine = next((engine for engine in ENGINES if engine.claims(process)), None) if process else None
        if process is None or engine is None:
            continue
        named = process.number("--port")
        for port in engine.ports if named is None else (named,):
            found.setdefault(port, set()).add(pid)
    return {port: pids.pop() for port, pids in found.items() if len(pids) == 1}
