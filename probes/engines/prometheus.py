"""Engines that publish Prometheus metrics: each is a table of the names it uses, read here."""

from functools import cached_property
from itertools import chain

from msgspec import Struct, structs

from ..exposition import Series
from ..sample import Engine, Liveness, Total


class Counter(Struct, frozen=True):
    """A counter of tokens."""

    name: str
    """As on the wire, with `_total`."""
    labels: tuple[tuple[str, str], ...] = ()
    """Only samples with these labels count."""
    note: str = ""
    """What a person must know of it: "incl. cached"."""
    liveness: Liveness = "step"

    def source(self, path: str) -> str:
        """How it is named beside a rate."""
        labels = ",".join(f'{label}="{value}"' for label, value in self.labels)
        text = f"GET {path} {self.name}" + (f"{{{labels}}}" if labels else "")
        return f"{text}, {self.note}" if self.note else text


class Names(Struct, frozen=True, kw_only=True, dict=True):
    """Names of one engine per quantity, preferred first: of several that are there, one is taken, never their sum.

    Counters and gauges are summed over ranks and replicas, shares are averaged.
    """

    decode: tuple[Counter, ...] = ()
    prefill: tuple[Counter, ...] = ()
    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    kv_usage: tuple[str, ...] = ()
    """Share of the KV cache in use, 0-1."""
    ttft: tuple[str, ...] = ()
    """Histograms in seconds, without `_sum` and `_count`."""
    tpot: tuple[str, ...] = ()
    prefix_queries: tuple[str, ...] = ()
    prefix_hits: tuple[str, ...] = ()
    decode_rate: tuple[str, ...] = ()
    """Gauges in tokens/s over all streams: shown where no counter moves while an answer is written."""
    context: tuple[str, ...] = ()
    """Tokens in the KV cache of the running requests."""
    others: tuple[str, ...] = ()
    """What the adapter itself looks at."""

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every name on the wire."""
        counters = (counter.name for counter in (*self.decode, *self.prefill))
        histograms = (f"{name}_{part}" for name in (*self.ttft, *self.tpot) for part in ("sum", "count"))
        plain = (self.running, self.waiting, self.kv_usage, self.prefix_queries, self.prefix_hits, self.decode_rate)
        return frozenset((*counters, *histograms, *chain(*plain), *self.context, *self.others))

    def then(self, other: "Names") -> "Names":
        """These names and, where they are not there, those of another engine that may be inside."""
        return Names(**{field: getattr(self, field) + getattr(other, field) for field in self.__struct_fields__})

    def fill(self, engine: Engine, series: Series, path: str = "/metrics") -> Engine:
        """The same engine with what its metrics, asked at `path`, say; what they do not say stays as it was."""
        decode = _first(self.decode, series)
        told = _total(self.decode_rate, series)
        if told is not None and (decode is None or decode.liveness == "request"):
            decode = None
        prefill = _first(self.prefill, series)
        running = _total(self.running, series)
        usage = series.first(self.kv_usage)
        return structs.replace(
            engine,
            status="idle" if running == 0 else "ok",
            decode_tokens=_count(decode, series),
            decode_tps=told if decode is None else None,
            decode_source=decode.source(path) if decode else self._told_by(series, path),
            liveness=decode.liveness if decode else "interval" if told is not None else None,
            prefill_tokens=_count(prefill, series),
            prefill_source=prefill and prefill.source(path),
            prefill_liveness=prefill and prefill.liveness,
            requests_running=running,
            requests_waiting=_total(self.waiting, series),
            kv_cache_usage=series.mean(usage) if usage else None,
            ttft=_histogram(self.ttft, series),
            tpot=_histogram(self.tpot, series),
            prefix_queries=_total(self.prefix_queries, series),
            prefix_hits=_total(self.prefix_hits, series),
            context_tokens=_total(self.context, series),
        )

    def _told_by(self, series: Series, path: str) -> str | None:
        name = series.first(self.decode_rate)
        return f"GET {path} {name}" if name else None


def _first(counters: tuple[Counter, ...], series: Series) -> Counter | None:
    return next((counter for counter in counters if _count(counter, series) is not None), None)


def _count(counter: Counter | None, series: Series) -> float | None:
    return series.total(counter.name, **dict(counter.labels)) if counter else None


def _total(names: tuple[str, ...], series: Series) -> float | None:
    name = series.first(names)
    return series.total(name) if name else None


def _histogram(names: tuple[str, ...], series: Series) -> Total | None:
    for name in names:
        seconds, count = series.total(f"{name}_sum"), series.total(f"{name}_count")
        if seconds is not None and count is not None:
            return Total(seconds, count)
    return None
