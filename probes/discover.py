"""Finds engines without configuration: listening sockets and their owners first, known ports second.

What is found here is only a place that is worth a question; `EngineSource` asks it, in its own thread.
"""

from collections.abc import Callable
from threading import Event, Thread

from .address import Address
from .engines import ENGINES
from .engines.contract import Endpoint
from .kinship import owned, related
from .listening import fingerprint
from .local import is_local
from .process import Process
from .processes import Listener, describe, listeners
from .publish.notice import Notice, announced

PERIOD_S = 2.0
SLOW_PERIOD_S = 5.0
"""Where looking costs more, since there is no cheap fingerprint of the listening sockets."""
PORTS = frozenset(port for engine in ENGINES for port in engine.ports)
ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # what a socket may be bound to, not what we bind

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Discovery:
    """Looks again and again, in a thread of its own, and tells each new endpoint once.

    An endpoint is new when its address or the process behind it was not there at the last look.
    """

    def __init__(self, found: Callable[[Endpoint], None], urls: list[str], *, everything: bool = True) -> None:
        """Nothing is looked at yet.

        Args:
            found: takes each endpoint, from the thread of the discovery (from `start` for the first look).
            urls: endpoints that a person named: they are always there, and only their process is looked for.
            everything: whether to look for others as well.
        """
        self._found = found
        self._urls = {_site(url): url for url in urls}
        self._everything = everything
        self._told: dict[str, Endpoint] = {}
        self._listening: frozenset[bytes] | None = None
        self._notices: tuple[Notice, ...] = ()
        self._stopped = Event()
        self._waker = Event()

    def start(self) -> None:
        """Looks once, at once, and goes on looking."""
        self.look()
        Thread(target=self._run, name="discovery", daemon=True).start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._waker.set()

    def rescan(self) -> None:
        """Looks now, and tells again what was told before."""
        self._told.clear()
        self._listening = None
        self._waker.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._waker.wait(SLOW_PERIOD_S if self._listening is None else PERIOD_S)
            self._waker.clear()
            if not self._stopped.is_set():
                self.look()

    def look(self) -> None:
        """Looks once, and tells what is new."""
        listening, notices = fingerprint(), announced()
        if listening is not None and listening == self._listening and notices == self._notices:
            return
        self._listening, self._notices = listening, notices
        endpoints = related(self._places())
        if not self._everything:
            endpoints = {url: endpoint for url, endpoint in endpoints.items() if self._is_named(endpoint)}
        for url, endpoint in endpoints.items():
            if self._told.get(url) != endpoint:
                self._found(endpoint)
        self._told = endpoints

    def _places(self) -> dict[str, Endpoint]:
        """By URL, each place once: what listens at several addresses is one engine."""
        places = {url: Endpoint(url=url, explicit=True) for url in self._urls.values()}
        seen: set[tuple[int, int | str]] = set()
        for listener in sorted(owned(listeners()), key=lambda each: not self._named(each)):
            process = describe(listener.pid) if listener.pid is not None else None
            named = self._named(listener)
            for spelled_otherwise in named[1:]:
                places.pop(spelled_otherwise, None)
            who = (listener.port, _owner(listener, process))
            endpoint = self._endpoint(listener, process, named[0] if named else None)
            if endpoint is None or (who in seen and not named):
                continue
            seen.add(who)
            known = places.get(endpoint.url)
            if known is None or known.process is None:
                places[endpoint.url] = endpoint
        return places

    def _named(self, listener: Listener) -> list[str]:
        """The URLs that a person named and that lead to this socket."""
        return [url for url in self._urls.values() if _answers(listener, url)]

    def _endpoint(self, listener: Listener, process: Process | None, named: str | None) -> Endpoint | None:
        """The endpoint of a socket, if a person named it or it may be an engine."""
        host = ANY.get(listener.host) or (f"[{listener.host}]" if ":" in listener.host else listener.host)
        url = f"http://{host}:{listener.port}"
        if named is not None:
            return Endpoint(url=named, process=process, explicit=True)
        if any(notice.url == url for notice in self._notices):
            return Endpoint(url=url, process=process, announced=True)
        if any(notice.pid == listener.pid and notice.observer == "proxy" for notice in self._notices):
            return None  # what answers there is the engine behind it
        return Endpoint(url=url, process=process) if _worth_asking(process, listener.port) else None

    def _is_named(self, endpoint: Endpoint) -> bool:
        """Whether a person named it, or the engine that stands before it."""
        return endpoint.explicit or (endpoint.host is not None and _site(endpoint.host.url) in self._urls)


def _worth_asking(process: Process | None, port: int) -> bool:
    """Whether an engine may answer there: its process looks like one, and names no other port; or the port is known."""
    if process is not None and any(engine.claims(process) for engine in ENGINES):
        named = process.option("--port")
        return named is None or named == str(port)
    return port in PORTS


def _answers(listener: Listener, url: str) -> bool:
    """Whether what is asked at a URL comes to this socket."""
    try:
        address = Address.parse(url)
    except ValueError:
        return False
    if address.port != listener.port or not is_local(url):
        return False
    if listener.host == "0.0.0.0":  # noqa: S104  # compared, never bound
        return ":" not in address.host
    return listener.host in {"::", address.host} or (address.host == "localhost" and listener.host in _LOOPBACK)


def _owner(listener: Listener, process: Process | None) -> int | str:
    """Who listens. A forwarder (docker-proxy) has a process for each of the two families of addresses."""
    if process is None:
        return "" if listener.host in {*ANY, *_LOOPBACK} else listener.host
    is_forwarder = listener.host in ANY and not any(engine.claims(process) for engine in ENGINES)
    return process.name if is_forwarder else process.pid


def _site(url: str) -> tuple[str, int] | str:
    """What tells two spellings of one endpoint to be the same; the URL itself when it is bad."""
    try:
        address = Address.parse(url)
    except ValueError:
        return url
    return "127.0.0.1" if address.host == "localhost" else address.host, address.port
