"""Engines that publish Prometheus metrics: each is a table of the names it uses, read here."""

from functools import cached_property

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

    @property
    def source(self) -> str:
        """How it is named beside a rate."""
        labels = ",".join(f'{label}="{value}"' for label, value in self.labels)
        text = f"GET /metrics {self.name}" + (f"{{{labels}}}" if labels else "")
        return f"{text}, {self.note}" if self.note else text


class Names(Struct, frozen=True, kw_only=True, dict=True):
    """Names of one engine per quantity, preferred first: of several that are there, one is taken, never their sum.

    Counters and gauges are summed over ranks and replicas, shares are averaged.
    """

    decode: tuple[Counter, ...]
    prefill: tuple[Counter, ...] = ()
    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    kv_usage: tuple[str, ...] = ()
    """Share of the KV cache in use, 0-1."""
    ttft: tuple[str, ...] = ()
    """Histograms in seconds, without `_sum` and `_count`."""
    tpot: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """What the adapter itself looks at."""

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every name on the wire."""
        counters = (counter.name for counter in (*self.decode, *self.prefill))
        histograms = (f"{name}_{part}" for name in (*self.ttft, *self.tpot) for part in ("sum", "count"))
        return frozenset((*counters, *histograms, *self.running, *self.waiting, *self.kv_usage, *self.others))

    def fill(self, engine: Engine, series: Series) -> Engine:
        """The same engine with what its metrics say; what they do not say stays as it was."""
        decode = _first(self.decode, series)
        prefill = _first(self.prefill, series)
        running = _total(self.running, series)
        usage = series.first(self.kv_usage)
        return structs.replace(
            engine,
            status="idle" if running == 0 else "ok",
            decode_tokens=_count(decode, series),
            decode_source=decode and decode.source,
            liveness=decode and decode.liveness,
            prefill_tokens=_count(prefill, series),
            prefill_source=prefill and prefill.source,
            prefill_liveness=prefill and prefill.liveness,
            requests_running=running,
            requests_waiting=_total(self.waiting, series),
            kv_cache_usage=series.mean(usage) if usage else None,
            ttft=_histogram(self.ttft, series),
            tpot=_histogram(self.tpot, series),
        )


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
