"""The constants that ship: what multiplies each term, and how far measurements lie from the prediction.

`constants.json` is written by `benchmarks/calibrate.py` and read once. A constant is filed under the name of its term
and one of the names that the term carries; those that are not there multiply by 1, so that an engine, a class or a
format without rows of its own is taken as its more general kin.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from .terms import Term

FILE = Path(__file__).parent / "constants.json"
Phase = Literal["decode", "prefill", "throughput"]
ALL = "all"
"""The name under which the constant of every case stands."""


class Spread(Struct, frozen=True, kw_only=True):
    """How measurements of one class lie around the prediction: measured / predicted at p10 and p90."""

    low: float
    high: float
    rows: int
    devices: int
    years: str
    """"2023-2026": when they were taken."""


class Constants(Struct, frozen=True, kw_only=True, eq=False):
    """Everything that was fitted. Equal to itself alone, so that what is derived from it can be kept."""

    decode: Mapping[str, Mapping[str, float]]
    prefill: Mapping[str, Mapping[str, float]]
    spreads: Mapping[Phase, Mapping[str, Spread]]

    def seconds(self, phase: Literal["decode", "prefill"], term: Term) -> float:
        """What a term takes."""
        return term.amount * _factor(self, phase, term.name, term.names)

    def spread(self, phase: Phase, names: Iterable[str]) -> tuple[str, Spread]:
        """The spread of the first of the names that has one, with that name; else that of all rows."""
        table = self.spreads[phase]
        name = next((name for name in names if name in table), ALL)
        return name, table[name]


@lru_cache(maxsize=4096)
def _factor(fitted: Constants, phase: Literal["decode", "prefill"], term: str, names: tuple[str, ...]) -> float:
    table = fitted.decode if phase == "decode" else fitted.prefill
    factors = table.get(term, {})
    product = factors.get(ALL, 1.0)
    for name in names:
        product *= factors.get(name, 1.0)
    return product


@lru_cache(maxsize=1)
def constants() -> Constants:
    """The constants that ship."""
    return msgspec.json.decode(FILE.read_bytes(), type=Constants)
