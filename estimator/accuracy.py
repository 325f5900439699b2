"""Predictions held against published measurements."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from .catalogue.devices import device as known_device
from .catalogue.formats import format as known_format
from .catalogue.models import model as known_model
from .catalogue.names import UnknownName
from .constants import Constants
from .measurements import METRICS, MOST_DEVICES, Measurement
from .question import Question, plan
from .rates import rates
from .snapshot import Band
from .software import BACKENDS, Software, engine, year
from .terms import Unanswerable

MOST_NEAREST = 500
"""Unknown names for which the nearest known ones are looked up, which takes some milliseconds each."""
MIXED_PROMPT, MIXED_CONTEXT = 1024.0, 1024.0
"""Tokens that stand for a mean over several prompt lengths (LocalScore's nine mixes: 16 to 4096)."""


AGGREGATE = "aggregate_output"
"""In a row's note: its value is all output over all time."""
PER_DEVICE = "per GPU"
"""In a row's note: its value is that of all devices over their number."""
SMALL_HOST = re.compile(r"small host|raspberry pi \d host", re.IGNORECASE)
"""In a row's note: a single-board computer feeds the GPU."""
COPIES = re.compile(r"\binst=(\d{1,3})\b")
"""In a row's note: how many instances of the engine shared the devices."""


class Answer(Struct, frozen=True, kw_only=True):
    """What was predicted for one row, or why nothing could be."""

    row: Measurement
    predicted: Band | None = None
    problem: str | None = None

    @property
    def ratio(self) -> float | None:
        """Measured / predicted."""
        return self.row.value / self.predicted.value if self.predicted and self.row.value else None


class Score(Struct, frozen=True, kw_only=True):
    """How well a set of rows is predicted. Shares are 0-1; None where there are no rows."""

    rows: int
    answered: int
    devices: int
    median_error: float | None = None
    """Median of |predicted / measured - 1|."""
    p90_error: float | None = None
    within_20: float | None = None
    in_band: float | None = None
    """Share of the measurements inside the band."""
    bias: float | None = None
    """Median of predicted / measured."""


class _Reasons:
    """Why rows have no answer, in words; the nearest names are looked up for the first unknown ones only."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __call__(self, error: UnknownName | Unanswerable) -> str:
        if not isinstance(error, UnknownName):
            return str(error)
        if error.brief not in self._told and len(self._told) < MOST_NEAREST:
            self._told[error.brief] = str(error)
        return self._told.get(error.brief, error.brief)


def answers(rows: Iterable[Measurement], fitted: Constants | None = None) -> list[Answer]:
    """Predicts each row."""
    reasons = _Reasons()
    return [_answer(row, fitted, reasons) for row in rows]


def answer(row: Measurement, fitted: Constants | None = None) -> Answer:
    """Predicts one row; never raises."""
    return _answer(row, fitted, _Reasons())


def _answer(row: Measurement, fitted: Constants | None, reasons: _Reasons) -> Answer:
    try:
        asked = question(row)
        answered = rates(asked, plan(asked), fitted)
    except (UnknownName, Unanswerable) as error:
        return Answer(row=row, problem=reasons(error))
    found = {
        "decode_tps": answered.decode_tps,
        "prefill_tps": answered.prefill_tps,
        "throughput_tps": answered.throughput_tps,
    }[metric(row)]
    if found and PER_DEVICE in row.note:
        each = float(row.n_devices)
        found = Band(value=found.value / each, low=found.low / each, high=found.high / each)
    return Answer(row=row, predicted=found) if found else Answer(row=row, problem="no prompt length in the row")


def metric(row: Measurement) -> str:
    """What the value of a row is: some sources call decode what is all output over all time, prompts included."""
    return "throughput_tps" if AGGREGATE in row.note and row.metric == "decode_tps" and row.n_prompt else row.metric


def question(row: Measurement) -> Question:
    """What a row asks.

    Raises:
        UnknownName: its hardware, engine, model or quantisation is in no catalogue.
        Unanswerable: it holds what cannot be used.
    """
    if row.problem:
        raise Unanswerable(row.problem)
    if row.metric not in METRICS:
        named = repr(row.metric[:40]) if row.metric else "a row without a metric"
        raise Unanswerable(f"{named} is not predicted, only {', '.join(METRICS)}")
    if row.n_devices > MOST_DEVICES:
        raise Unanswerable(f"{row.n_devices} devices are more than {MOST_DEVICES}")
    backend = next((name for name in BACKENDS if name == row.backend.lower()), None)
    if backend is None:
        raise Unanswerable(f"unknown backend {row.backend[:40]!r}: there are {', '.join(BACKENDS)}")
    return Question(
        facts=_facts(row.model, row.quant, row.weight_gib),
        software=Software(
            engine=engine(row.engine),
            backend=backend,
            year=year(row.engine_version_or_date),
        ),
        devices=(_device(row.hardware),) * row.n_devices,
        copies=_copies(row),
        streams=float(row.batch) if row.batch else None,
        prompt=float(_prompt(row)),
        generate=float(row.n_gen or 128),
        context=_context(row),
        before=float(row.context or 0) if row.metric == "prefill_tps" else 0.0,
        small_host=bool(SMALL_HOST.search(row.note)),
        power_limit_w=row.power_limit_w,
    )


def score(found: Sequence[Answer]) -> Score:
    """The figures of a set of answers."""
    known = [it for it in found if it.predicted and it.row.value]
    devices = len({it.row.hardware for it in known})
    if not known:
        return Score(rows=len(found), answered=0, devices=0)
    ratios = [it.predicted.value / it.row.value for it in known if it.predicted and it.row.value]
    errors = sorted(abs(ratio - 1.0) for ratio in ratios)
    inside = [it.predicted.low <= it.row.value <= it.predicted.high for it in known if it.predicted and it.row.value]
    return Score(
        rows=len(found),
        answered=len(known),
        devices=devices,
        median_error=quantile(errors, 0.5),
        p90_error=quantile(errors, 0.9),
        within_20=sum(error <= 0.2 for error in errors) / len(errors),
        in_band=sum(inside) / len(inside),
        bias=quantile(sorted(ratios), 0.5),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of values in rising order, between neighbours by proportion."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _prompt(row: Measurement) -> int:
    if row.metric == "prefill_tps":
        return row.n_prompt or round(MIXED_PROMPT)
    return row.n_prompt or 0 if metric(row) == "throughput_tps" else 0


def _copies(row: Measurement) -> int:
    said = COPIES.search(row.note)
    copies = int(said[1]) if said else 1
    return copies if copies and row.n_devices % copies == 0 else 1


def _context(row: Measurement) -> float | None:
    """Tokens in the cache while decoding."""
    if row.context:
        return float(row.context)
    if row.context is None and row.n_prompt is None and row.n_gen is None:
        return MIXED_CONTEXT
    return (row.n_prompt or 0) + (row.n_gen or 128) / 2.0


@lru_cache(maxsize=4096)
def _facts(model: str, quant: str, weight_gib: float | None) -> ModelFacts:
    return known_model(model).facts(known_format(quant), weight_gib * 2**30 if weight_gib else None)


@lru_cache(maxsize=1024)
def _device(name: str) -> Device:
    return known_device(name).as_device(name)
