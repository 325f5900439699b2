"""What SGLang tells of its load without --enable-metrics: who runs and who waits, and a rate since 0.5.15.

`GET /v1/loads` is there since 0.5.8 (srt/entrypoints/v1_loads.py). Its `gen_throughput` stays 0 without the metrics, as
the scheduler sets it with them only (report_decode_stats), so it is not read. `last_gen_throughput` of
`GET /server_info` is set always. Up to 0.5.10 at least, asking for that writes into the settings of the running server
(get_internal_state takes `vars()` of them and no copy): it is asked of 0.5.15 and later only.
"""

import re
import time

from msgspec import Struct, structs
from msgspec.json import Decoder

from ..fetch import Fetch
from ..sample import Engine
from .listing import Trouble, understood

LOADS = "/v1/loads?include=core"
SERVER = "/server_info"
NO_METRICS = "publishes no live count: start it with --enable-metrics"
EVERY_S = 2.0
"""Seconds for which a rate is taken as good: its scheduler has to answer, between two steps."""
_READS_ONLY = (0, 5, 15)
"""The first version seen whose server information is a copy."""


class _Rank(Struct, frozen=True):
    """One data-parallel rank."""

    num_running_reqs: int
    num_waiting_reqs: int
    num_used_tokens: int | None = None
    token_usage: float | None = None
    max_running_requests: int | None = None
    total_prefill_uncached_tokens: int | None = None
    """0.5.23 and somewhat before; counted without the metrics, too."""


class _Loads(Struct, frozen=True):
    loads: list[_Rank]
    version: str | None = None


class _State(Struct, frozen=True):
    last_gen_throughput: float | None = None


class Settings(Struct, frozen=True):
    """Of its server information, what is of use; it holds the key of its clients as well."""

    internal_states: list[_State] = []
    tp_size: int | None = None
    quantization: str | None = None
    kv_cache_dtype: str | None = None
    dtype: str | None = None


_decode_loads = Decoder(_Loads).decode
_decode_server = Decoder(Settings).decode


class Load:
    """Asks one server for its load."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._tells = False
        """Whether its server information may be asked."""
        self._told: float | None = None
        self._asked = float("-inf")

    def version(self) -> str | None:
        """Its version, where it tells its load; whatever else is asked depends on it. Raises FetchError."""
        loads = understood(self._fetch.get(LOADS), LOADS, _decode_loads)
        if isinstance(loads, Trouble):
            return None
        self._tells = _number(loads.version) >= _READS_ONLY
        return loads.version

    def settings(self) -> Settings | None:
        """What it is run with, where it may be asked for that. Raises FetchError."""
        if not self._tells:
            return None
        server = understood(self._fetch.get(SERVER), SERVER, _decode_server)
        return None if isinstance(server, Trouble) else server

    def read(self, known: Engine) -> Engine:
        """One reading. Raises FetchError."""
        loads = understood(self._fetch.get(LOADS), LOADS, _decode_loads)
        if isinstance(loads, Trouble):
            return structs.replace(known, problem=NO_METRICS) if loads.status == "unsupported" else loads.on(known)
        ranks = loads.loads
        running = sum(rank.num_running_reqs for rank in ranks)
        usage = [rank.token_usage for rank in ranks if rank.token_usage is not None]
        prefilled = _sum([rank.total_prefill_uncached_tokens for rank in ranks])
        rate = self._rate(running)
        return structs.replace(
            known,
            status="ok" if running else "idle",
            problem=NO_METRICS if not self._tells else None,
            decode_tps=rate,
            decode_source=f"GET {SERVER} last_gen_throughput" if rate is not None else None,
            liveness="interval" if rate is not None else None,
            prefill_tokens=prefilled,
            prefill_source="GET /v1/loads total_prefill_uncached_tokens" if prefilled is not None else None,
            prefill_liveness="interval" if prefilled is not None else None,
            requests_running=float(running),
            requests_waiting=float(sum(rank.num_waiting_reqs for rank in ranks)),
            kv_cache_usage=sum(usage) / len(usage) if usage else None,
            context_tokens=_sum([rank.num_used_tokens for rank in ranks]),
            slots=known.slots or int(_sum([rank.max_running_requests for rank in ranks]) or 0) or None,
        )

    def _rate(self, running: int) -> float | None:
        """Tokens/s over its last 40 steps; the figure of the last request stays there when all is over."""
        if not running:
            self._asked = float("-inf")
            return 0.0 if self._tells else None
        if time.monotonic() - self._asked >= EVERY_S:
            self._asked = time.monotonic()
            server = self.settings()
            self._told = _sum([state.last_gen_throughput for state in server.internal_states]) if server else None
        return self._told


def _sum(values: list[int | None] | list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None


def _number(version: str | None) -> tuple[int, ...]:
    """A version to compare: 0.5.15.post1 is (0, 5, 15)."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", version or "")
    return tuple(map(int, found.groups())) if found else ()
