"""Classes of measurements that are looked at apart."""

from collections.abc import Callable

from msgspec import Struct

from .catalogue.names import UnknownName
from .measurements import Measurement
from .question import Question
from .software import engine

USERS = frozenset({"llamafile", "Ollama"})
"""Engines whose rows anybody's machine may be behind, in any state."""
LLAMA_CPP = frozenset({"llama.cpp", "ds4"})
DEEP = 4096
"""Tokens in the cache from which a context counts as long."""


class Sort(Struct, frozen=True, kw_only=True):
    """What a row is, as far as its class goes."""

    metric: str
    engine: str
    devices: int
    experts: bool
    depth: float

    @property
    def user(self) -> bool:
        """Whether anybody's machine may be behind it."""
        return self.engine in USERS

    @property
    def plain(self) -> bool:
        """Whether it is llama.cpp on one device."""
        return self.engine in LLAMA_CPP and self.devices == 1


def sort(row: Measurement, question: Question | None) -> Sort:
    """The sort of a row; without a question, where nothing can be predicted, by what stands in the row alone."""
    if question is None:
        return Sort(
            metric=row.metric, engine=_engine(row), devices=row.n_devices, experts=False, depth=float(row.context or 0)
        )
    return Sort(
        metric=row.metric,
        engine=question.software.engine.name,
        devices=row.n_devices,
        experts=bool(question.facts.expert_count),
        depth=question.depth,
    )


def _engine(row: Measurement) -> str:
    try:
        return engine(row.engine).name
    except UnknownName:
        return row.engine


def _decode(of: Sort) -> bool:
    return of.metric == "decode_tps"


def _prefill(of: Sort) -> bool:
    return of.metric == "prefill_tps"


def _throughput(of: Sort) -> bool:
    return of.metric == "throughput_tps"


GROUPS: dict[str, Callable[[Sort], bool]] = {
    "decode, llama.cpp, one device": lambda of: _decode(of) and of.plain,
    "· mixture of experts": lambda of: _decode(of) and of.plain and of.experts,
    "· context above 4k": lambda of: _decode(of) and of.plain and of.depth > DEEP,
    "decode, llama.cpp, several devices": lambda of: _decode(of) and of.engine in LLAMA_CPP and of.devices > 1,
    "decode, user-submitted (llamafile, Ollama)": lambda of: _decode(of) and of.user,
    "decode, other engines": lambda of: _decode(of) and of.engine not in LLAMA_CPP and not of.user,
    "prefill, llama.cpp, one device": lambda of: _prefill(of) and of.plain,
    "prefill, all others": lambda of: _prefill(of) and not of.plain and not of.user,
    "prefill, user-submitted": lambda of: _prefill(of) and of.user,
    "throughput, dense": lambda of: _throughput(of) and not of.experts,
    "throughput, mixture of experts": lambda of: _throughput(of) and of.experts,
}
"""By name; those with a point before them are parts of the one above."""
