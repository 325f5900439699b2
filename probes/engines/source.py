"""One endpoint as a source of samples: identifies the engine, reads it, notices when it dies and when it is back."""

import time

from msgspec.structs import replace

from ..address import Address
from ..exposition import BadExposition
from ..fetch import Fetch, FetchError
from ..local import is_local
from ..processes import Family, is_listening, is_running
from ..sample import Engine, Gone, Status
from ..visible import visible_devices
from . import ENGINES, HOSTS
from .believable import believable
from .contract import UNAUTHORIZED, Endpoint, EngineAdapter, Present, Seen

KEEP_S = 300.0
"""Seconds that an engine which is gone keeps its row, unless a person named it."""
RETRY_S = 5.0
"""Seconds between two questions to a port that may become an engine: a container whose server is still starting."""
STRANGE = "answers, but is no engine that llmtop knows"
NONSENSE = "sends what no engine sends"
_NONSENSE = (RecursionError, ValueError, TypeError, ArithmeticError, LookupError)
"""What a hostile answer can make of a decoder or of arithmetic: JSON nested too deep, no UTF-8, endless numbers."""
DOUBT_S = 30.0
"""Seconds between two identifications of an engine that does not answer as it did: another may have its port."""
TRIES = 12
"""Questions to a port of an engine's process that may not be the engine's: a page for people, or a slow start."""


class EngineSource:
    """Reads one endpoint, whatever becomes of it. Never raises; trouble is a status with a problem.

    The key goes to engines that a person named or whose command line is an engine's, never to a stranger on some port.
    """

    def __init__(self, endpoint: Endpoint, *, interval: float, api_key: str | None = None) -> None:
        self.interval = interval
        self.gone = False
        """Whether it has given up its row: no engine lives there, or not any more."""
        self.reason: str | None = None
        """Why nothing is read there, in one line."""
        self._api_key = api_key
        self._endpoint = self._met = endpoint
        self._name = self._claimed_by()
        self._died: float | None = None
        self._identified = 0.0
        self._adapter: EngineAdapter | None = None
        self._present: Present | None = None
        self._fetch: Fetch | None = None
        self._bad_url = ""
        self._settle()

    @property
    def name(self) -> str:
        """Its URL."""
        return self._endpoint.url

    @property
    def period(self) -> float:
        """The interval, or less where the engine needs to be read more often."""
        if self._adapter is not None:
            return min(self.interval, self._adapter.period)
        return min(self.interval, 1.0) if self._known and not self._is_strange else RETRY_S

    def meet(self, endpoint: Endpoint) -> None:
        """Takes note of who listens there now, for the next reading. Safe to call from another thread."""
        self._met = endpoint

    def read(self) -> Engine | Gone | None:
        """One reading; None while nothing shows that an engine lives there."""
        if self._fetch is None:
            return self._row("unsupported", self._bad_url)
        self._look_who_listens()
        if self._speaks_through_others:
            self.gone = True
            return Gone()
        try:
            adapter = self._adapter or self._identify(self._fetch)
            if adapter is None:
                return self._nothing()
            reading = self._in_words_of_host(adapter.read())
        except FetchError as error:
            return self._lost(error)
        except BadExposition as error:
            return self._row("unsupported", str(error))
        except _NONSENSE:
            return self._confused()
        self._adapter, self._name, self._died, self._spoke = adapter, adapter.name, None, True
        self._is_strange = False
        if reading.status == "unsupported" and time.monotonic() - self._identified >= DOUBT_S:
            self._adapter = None
        return self._placed(reading)

    def _confused(self) -> Engine | Gone | None:
        """Its answers are none that any adapter was made for."""
        self._adapter, self._is_strange, self.reason = None, True, NONSENSE
        if self._known:
            return self._row("unsupported", NONSENSE)
        self.gone = True
        return Gone()

    def _look_who_listens(self) -> None:
        """Starts over when another process has taken the port."""
        before, met = self._endpoint, self._met
        if met is before:
            return
        self._endpoint = replace(met, explicit=before.explicit)
        if met.process != before.process or met.host != before.host:
            self._settle()

    def _settle(self) -> None:
        """Takes in who listens there; what runs there is to be found out."""
        process = self._endpoint.process
        try:
            self._fetch = Fetch(self._endpoint.url, api_key=self._api_key if self._is_trusted else None)
        except FetchError as error:
            self._bad_url = str(error)
        self._family = Family(process.pid if process else None)
        self._visible = visible_devices(process) if process else None
        self._adapter = self._present = None
        self._spoke = self._is_strange = False
        self._tries = 0

    @property
    def _is_trusted(self) -> bool:
        """Whether it gets the key: never a page of our own, nor a stranger who has taken the port of an engine."""
        return self._endpoint.explicit or (bool(self._claiming) and not self._endpoint.announced)

    @property
    def _speaks_through_others(self) -> bool:
        """Whether it has started engines that have rows of their own, under its name."""
        process = self._endpoint.process
        return process is not None and any(host.claims(process) for host in HOSTS) and bool(self._endpoint.children)

    def _in_words_of_host(self, reading: Engine) -> Engine:
        """What a child says, under the names that its host gives."""
        host, child = self._endpoint.host, self._endpoint.process
        if host is None or child is None:
            return reading
        if self._present is None:
            kind = next((kind for kind in HOSTS if kind.started(child, host.process)), None)
            if kind is None:
                return reading
            self._present = kind.present(host, child, Fetch(host.url, api_key=self._api_key).only(kind.PATHS))
        return self._present(reading)

    def _identify(self, fetch: Fetch) -> EngineAdapter | None:
        """The adapter that knows this endpoint. Raises FetchError when it cannot be asked at all."""
        self._identified = time.monotonic()
        self._seen = seen = Seen(self._endpoint, fetch)
        process = self._endpoint.process
        likely = sorted(ENGINES, key=lambda engine: not (process and engine.claims(process)))
        return next((adapter for engine in likely if (adapter := engine.match(seen, fetch))), None)

    @property
    def _known(self) -> bool:
        """Whether it deserves a row even when it does not answer."""
        return self._endpoint.explicit or self._name != "unknown"

    def _nothing(self) -> Engine | Gone | None:
        """What is said of an endpoint that no adapter knows: nothing, unless a person or its answers say it is one."""
        self._is_strange = True
        self.reason = self._why()
        if not self._known:
            self.gone = True
            return Gone()
        if self._is_its_port or self.reason == UNAUTHORIZED:
            return self._row("unauthorized" if self.reason == UNAUTHORIZED else "unsupported", self.reason)
        self._tries += 1
        self.gone = self._tries >= TRIES
        return Gone() if self.gone else None

    def _why(self) -> str:
        """Why no adapter knows it."""
        if self._seen.guarded:
            return UNAUTHORIZED
        answer = self._seen.get("/version")
        if answer is not None and answer.status >= 500:
            return f"answers {answer.status} to GET /version"
        return str(self._seen.trouble or STRANGE)

    def _lost(self, error: FetchError) -> Engine | Gone | None:
        """The endpoint cannot be asked: it keeps its row for a while, and is identified anew when it is back."""
        self._adapter, self._is_strange, self.reason = None, False, str(error)
        now = time.monotonic()
        self._died = self._died or now
        keep = 0.0 if self._is_unloaded or self._has_counted_out else KEEP_S
        if not self._endpoint.explicit and now - self._died >= keep:
            self.gone = True
            return Gone()
        if self._endpoint.announced:  # it has no row of its own to say so in
            return None
        return self._row("unreachable", str(error)) if self._known else None

    @property
    def _is_unloaded(self) -> bool:
        """Whether its host has ended it, or is back without it: no loss. One that hangs has its process still."""
        process, host = self._endpoint.process, self._endpoint.host
        if process is None or host is None or is_running(process.pid):
            return False
        return is_running(host.process.pid) or is_listening(Address.parse(host.url).port)

    @property
    def _has_counted_out(self) -> bool:
        """Whether it is a proxy or a script with the hook in it, and has ended."""
        process = self._endpoint.process
        return self._endpoint.announced and (process is None or not is_running(process.pid))

    def _claimed_by(self) -> str:
        """The engine that the command line looks like."""
        return next((engine.name for engine in self._claiming), "unknown")

    @property
    def _claiming(self) -> list[type[EngineAdapter]]:
        process = self._endpoint.process
        return [engine for engine in ENGINES if engine.claims(process)] if process else []

    @property
    def _is_its_port(self) -> bool:
        """Whether the engine should be there, and not something else of its process: a page for people."""
        process = self._endpoint.process
        is_named = self._endpoint.explicit or (process is not None and process.option("--port") is not None)
        return is_named or self._spoke or any(self._seen.port in engine.ports for engine in self._claiming)

    def _row(self, status: Status, problem: str) -> Engine:
        row = Engine(engine=self._name, url=self._endpoint.url, status=status, problem=problem)
        return self._placed(self._in_words_of_host(row))

    def _placed(self, reading: Engine) -> Engine:
        """The reading with the processes behind it."""
        process = self._endpoint.process
        reading = believable(reading)
        if process is None:
            return replace(reading, local=is_local(self._endpoint.url))
        pids = reading.pids or self._family.pids()
        return replace(reading, pid=process.pid, pids=pids, visible_devices=self._visible)
