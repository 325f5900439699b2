"""Measurements as sums of terms, ready to be fitted."""

from collections.abc import Iterable, Sequence

from llmtop.estimator import power
from llmtop.estimator.accuracy import PER_DEVICE, metric, question
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.constants import Constants
from llmtop.estimator.expected import Part, Timing, spread_names
from llmtop.estimator.measurements import Measurement
from llmtop.estimator.question import plan
from llmtop.estimator.setup import Setup
from llmtop.estimator.terms import Term, Unanswerable, decode, prefill
from msgspec import Struct

Piece = tuple[str, float, Term]
"""Phase of its constants, how many times it is done, the term."""


class Case(Struct, frozen=True, kw_only=True):
    """One row: so many tokens in the time of the pieces."""

    row: Measurement
    family: str
    tokens: float
    pieces: tuple[Piece, ...]
    setup: Setup
    names: tuple[str, ...]
    """Under which its spread may be filed."""
    experts: bool
    depth: float
    user: bool
    """Whether anybody's machine may be behind it, in any state."""
    fits: bool
    """Whether the devices hold the model; where they do not, who knows what the row was measured with."""
    limited: tuple[object, float, power.Phase] | None = None
    """The device, its power limit and the phase."""


def cases(rows: Iterable[Measurement]) -> list[Case]:
    """The rows that can be predicted."""
    found: list[Case] = []
    for row in rows:
        try:
            found.append(_case(row))
        except (UnknownName, Unanswerable):
            continue
    return found


def kept(case: Case, fitted: Constants) -> float:
    """The share of the speed that the row's power limit leaves, by the constants so far."""
    if case.limited is None:
        return 1.0
    device, limit_w, phase = case.limited
    parts = [Part(name=term.name, seconds=times * fitted.seconds(kind, term)) for kind, times, term in case.pieces]  # type: ignore[arg-type]
    seconds: dict[str, float] = {}
    for part in Timing(parts=tuple(parts)).parts:
        seconds[part.name] = seconds.get(part.name, 0.0) + part.seconds
    found = power.kept(device, limit_w, phase, power.core_share(seconds))  # type: ignore[arg-type]
    return found.value if found else 1.0


def _case(row: Measurement) -> Case:
    asked = question(row)
    laid = plan(asked)
    setup = laid.setup
    steps, prompts = 0.0, 0.0
    phase: power.Phase = "decode" if setup.streams <= 1 else "batch"
    measured = metric(row)
    if measured == "decode_tps":
        tokens, steps = setup.streams, 1.0
    elif measured == "prefill_tps":
        tokens, prompts, phase = asked.prompt, 1.0, "prefill"
    else:
        tokens, steps, prompts = setup.streams * asked.generate, asked.generate, setup.streams if asked.prompt else 0.0
    pieces: list[Piece] = [("decode", steps, term) for term in decode(setup)] if steps else []
    if prompts:
        together = setup.streams if steps else 1.0
        pieces += [("prefill", prompts, term) for term in prefill(setup, asked.prompt, asked.before, together)]
    limit = row.power_limit_w
    return Case(
        row=row,
        family=model(row.model).family,
        tokens=tokens * asked.copies / (row.n_devices if PER_DEVICE in row.note else 1),
        pieces=tuple(pieces),
        setup=setup,
        names=spread_names(setup),
        experts=bool(asked.facts.expert_count),
        depth=asked.depth,
        user=asked.software.engine.name in {"llamafile", "Ollama"},
        fits=laid.placement.fits is not False,
        limited=(asked.devices[0], limit, phase) if limit else None,
    )


def values(found: Sequence[Case]) -> list[float]:
    """What was measured, in tokens/s."""
    return [case.row.value or 0.0 for case in found]
