"""llama.cpp: llama-server, also inside another program (xllamacpp), and as a router that starts one for each model.

Live counts come from `GET /slots`. `GET /metrics` empties two gauges of whoever else scrapes it, so it is read only
where the slots are closed (`--no-slots`). `GET /slots` wakes a sleeping server and keeps it awake, so a server that is
idle is asked for `GET /props` alone, until it sleeps or its process works again.
"""

import time
from typing import ClassVar, Self

from msgspec import DecodeError

from ..fetch import Fetch
from ..process import Process
from ..sample import Engine
from .behind import Behind, port
from .contract import UNAUTHORIZED, Endpoint, Host, Seen, Way
from .listing import understood
from .llamaprops import Identity, Props, decode_props, identify, kv_bytes_per_element
from .llamarouter import Router, called
from .llamasteps import StepCount
from .slots import SlotLedger, decode_slots
from .work import Work

REST_S = 1.9
"""Seconds for which an idle server whose process does not work is not asked again: every second time at 1 Hz."""
FASTEST = 0.1
"""Seconds between readings while requests are so short that they end unseen."""
NO_COUNTER = "neither /slots nor /metrics is open: start it with --metrics, or without --no-slots"


class LlamaCpp:
    """Reads one llama-server."""

    name: ClassVar[str] = "llama.cpp"
    ports: ClassVar[tuple[int, ...]] = (8080,)
    way: ClassVar[Way] = Way("GET /slots n_decoded", "token")
    PATHS: ClassVar[frozenset[str]] = frozenset({"/props", "/slots", "/metrics", "/v1/models", "/models"})

    def __init__(self, endpoint: Endpoint, fetch: Fetch, query: str = "") -> None:
        """`query` goes with every path: it names one model of a router."""
        self._endpoint = endpoint
        self._router_fetch = fetch
        self._fetch = fetch.only(frozenset(path + query for path in self.PATHS))
        self._query = query
        self._router: Router | None = None
        self._ledger = SlotLedger()
        self._steps = StepCount()
        self._identity: Identity | None = None
        self._props: Props | None = None
        self._busy = True
        self._asked = 0.0
        self._last: Engine | None = None
        self._hurry = float("inf")
        self._no_slots = False
        process = endpoint.process
        self._work = Work(process.pid) if process and self.claims(process) else None

    @classmethod
    def claims(cls, process: Process) -> bool:
        """Whether it is called llama-server, or carries the library."""
        return _is_server(process) or any("xllamacpp" in library for library in process.libraries)

    @classmethod
    def started(cls, child: Process, parent: Process) -> bool:
        """Whether a router has started it for one model."""
        return _is_server(parent) and cls.claims(child)

    @classmethod
    def present(cls, host: Host, child: Process, fetch: Fetch) -> Behind:
        """The name that the router has for the model, and that the router stands before it."""

        def name(reading: Engine) -> str | None:
            alias = child.option("--alias", "-a")  # the router starts it with one
            if alias:
                return alias
            answer = fetch.get("/models")
            models = understood(answer, "/models", lambda body: called(body, port(reading.url)))
            return models if isinstance(models, str) else None

        return Behind("llama.cpp router", host, name, "GET /models")

    @classmethod
    def match(cls, seen: Seen, fetch: Fetch) -> Self | None:
        """By the Server header, which stands on every answer."""
        return cls(seen.endpoint, fetch) if (seen.server or "").startswith("llama.cpp") else None

    @property
    def period(self) -> float:
        """Shorter while requests come and go faster than they can be seen, down to `FASTEST`."""
        return self._hurry

    def read(self) -> Engine:
        """One reading; raises FetchError when the server cannot be asked."""
        if self._router is not None:
            return self._reading(**self._router.read())
        last = self._last if not self._busy and self._work is not None and not self._work.went_on() else None
        if last is not None and time.monotonic() - self._asked < REST_S:
            return last
        if (self._props is None or not self._busy) and (trouble := self._read_props()):
            return trouble
        if self._props is not None and self._props.is_sleeping:
            self._busy = False
            reading = self._reading(status="sleeping")
        elif last is not None and last.status != "sleeping":
            return last
        else:
            reading = self._read_steps() if self._no_slots else self._read_slots()
        self._last = reading
        return reading

    def _read_props(self) -> Engine | None:
        """Learns what runs there; a reading when nothing more can be asked now."""
        answer = self._fetch.get("/props" + self._query)
        self._asked = answer.time
        match answer.status:
            case 401 | 403:
                return self._reading(status="unauthorized", problem=UNAUTHORIZED)
            case 503:
                self._identity = self._props = None
                return self._reading(status="loading", problem="loading its model")
            case 200:
                pass
            case status:
                return self._reading(status="unsupported", problem=f"answers {status} to GET /props")
        try:
            self._props = decode_props(answer.body)
        except DecodeError:
            return self._reading(status="unsupported", problem="GET /props is not what llama-server sends")
        if self._props.role == "router":
            self._router = Router(self._router_fetch, self._child, local=self._endpoint.process is not None)
            return self._reading(**self._router.read())
        if self._identity is None or self._identity.props_path != self._props.model_path:
            self._identity = identify(self._props, self._fetch, self._endpoint.process, self._query)
        self._no_slots = self._props.endpoint_slots is False
        return None

    def _child(self, query: str) -> "LlamaCpp":
        return LlamaCpp(Endpoint(url=self._endpoint.url), self._router_fetch, query)

    def _read_slots(self) -> Engine:
        answer = self._fetch.get("/slots" + self._query)
        match answer.status:
            case 200:
                pass
            case 501 | 404:
                self._no_slots = True
                return self._read_steps()
            case 503:
                self._props = None
                return self._reading(status="loading", problem="loading its model")
            case 401 | 403:
                self._props = None
                return self._reading(status="unauthorized", problem=UNAUTHORIZED)
            case status:
                return self._reading(status="unsupported", problem=f"answers {status} to GET /slots")
        try:
            slots = decode_slots(answer.body)
        except DecodeError:
            return self._reading(status="unsupported", problem="GET /slots is not what llama-server sends")
        self._ledger.read(slots, answer.time)
        busy = [slot for slot in slots if slot.is_processing]
        self._busy = bool(busy)
        self._pace()
        capacity = sum(slot.n_ctx for slot in slots)
        return self._reading(
            status="ok" if busy else "idle",
            decode_tokens=self._ledger.decoded,
            prefill_tokens=self._ledger.prefilled,
            decode_source="GET /slots n_decoded",
            prefill_source="GET /slots n_prompt_tokens_processed, each batch",
            liveness="token",
            prefill_liveness="step",
            slots=len(slots),
            requests_running=float(len(busy)),
            prefilling=sum(slot.progress.n_decoded == 0 for slot in busy),
            kv_cache_usage=min(sum(slot.tokens for slot in slots) / capacity, 1.0) if capacity else None,
            context_tokens=float(sum(slot.tokens for slot in busy)),
        )

    def _read_steps(self) -> Engine:
        """The step counter, where the slots are closed."""
        self._busy = True
        if self._props is not None and self._props.endpoint_metrics is False:
            return self._reading(status="ok", problem=NO_COUNTER)
        answer = self._fetch.get("/metrics" + self._query)
        if answer.status == 503:
            self._props = None
            return self._reading(status="loading", problem="loading its model")
        if answer.status != 200:
            return self._reading(status="ok", problem=NO_COUNTER)
        steps = self._steps.read(answer.body)
        self._busy = bool(steps.running)
        return self._reading(
            status="ok" if steps.running else "idle",
            decode_tokens=steps.tokens,
            prefill_tokens=steps.prompt_tokens,
            decode_source="GET /metrics n_decode_total x n_busy_slots_per_decode (prefill steps included)",
            prefill_source="GET /metrics prompt_tokens_total, one batch behind",
            liveness="step",
            prefill_liveness="step",
            slots=self._props.total_slots if self._props else None,
            requests_running=steps.running,
            requests_waiting=steps.waiting,
        )

    def _pace(self) -> None:
        """Reads twice as often each time that a request came or went unseen, and calms down slowly."""
        if self._ledger.unseen:
            self._hurry = max(min(self._hurry, 1.0) / 2, FASTEST)
        else:
            self._hurry = self._hurry * 1.1 if self._hurry < 2.0 else float("inf")

    def _reading(self, **facts: object) -> Engine:
        identity, process = self._identity, self._endpoint.process
        known: dict[str, object] = {
            "version": self._props.build_info if self._props else None,
            "model": identity.facts if identity else None,
            "threads": int(threads)
            if process and (threads := process.option("-t", "--threads") or "").isdigit()
            else None,
            "kv_bytes_per_element": kv_bytes_per_element(process) if process else None,
        }
        return Engine(engine=self.name, url=self._endpoint.url, **(known | facts))  # type: ignore[arg-type]


def _is_server(process: Process) -> bool:
    return process.program == "llama-server" or (process.program == "llama" and process.command[1:2] == ("serve",))
