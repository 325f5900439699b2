"""What a comparison of machines comes to, in sentences that claim no more than the bands allow."""

from collections.abc import Sequence

from ...estimator.compare import Match, total
from ...estimator.snapshot import Band
from ..format import exact_rate
from .compare import LETTERS, Compared

NO_TELLING = "within their bands: no difference can be told"
WORDS = {
    "speed": "Speed",
    "energy": "Speed per watt",
    "money": "Speed for the money",
}

Rows = list[list[Band | None]]


def measures(found: Compared) -> dict[str, Rows]:
    """By name: one row a model, one band a machine; without those that no machine has."""
    entries = [line.entries for line in found.every]
    every: dict[str, Rows] = {
        "speed": [[each.tps for each in row] for row in entries],
        "energy": [[each.tokens_per_joule for each in row] for row in entries],
        "money": [[each.tps_per_money for each in row] for row in entries],
    }
    return {name: rows for name, rows in every.items() if name != "money" or any(found.prices)}


def winners(found: Compared) -> list[str]:
    """A line for each measure."""
    return [f"{WORDS[name]}: {_winner(rows, found)}" for name, rows in measures(found).items()]


def _winner(rows: Rows, found: Compared) -> str:
    """Raises nothing; says what is missing where there is nothing to compare."""
    whole = total(rows)
    what = "quantisation" if found.one else "model"
    what += "" if whole.rows == 1 else "s"
    all_hold = "both hold" if len(found.machines) == 2 else "all hold"
    if not whole.rows:
        return _without(rows, found)
    if not any(whole.won):
        return f"{NO_TELLING} ({whole.rows} {what} that {all_hold})."
    undecided = whole.rows - sum(whole.won)
    wins = [f"{LETTERS[at]} ahead in {count}" for at, count in enumerate(whole.won) if count]
    wins += [f"{undecided} {NO_TELLING}"] if undecided else []
    first = "no winner" if whole.winner is None else LETTERS[whole.winner]
    return f"{first}. Of the {whole.rows} {what} that {all_hold}: {', '.join(wins)}{_typical(whole.factors)}."


def _without(rows: Rows, found: Compared) -> str:
    """Where no row has it of all machines."""
    lacking = [LETTERS[at] for at in range(len(found.machines)) if not any(row[at] for row in rows)]
    if len(lacking) == len(found.machines):
        return "not known of any."
    return f"not known of {' and '.join(lacking)}." if lacking else "nothing fits on all of them."


def _typical(factors: Sequence[float | None]) -> str:
    """Of the machine that is ahead of all others in the middle: "; typically A has 2.1x"."""
    at = max(range(len(factors)), key=lambda each: factors[each] or 0.0)
    factor = factors[at]
    return f"; typically {LETTERS[at]} has {exact_rate(factor)}x" if factor and factor > 1.0 else ""


def counts(found: Compared, least: float) -> list[str]:
    """How many models go onto each machine, and how many of them run fast enough."""
    told: list[str] = []
    for at, _ in enumerate(found.machines):
        offers = [line.entries[at].offer for line in found.every]
        fits = sum(offer.found is not None for offer in offers)
        brisk = sum(offer.tps >= least for offer in offers)
        told.append(f"{LETTERS[at]} holds {fits} of {len(offers)} models, {brisk} of them at {least:g} tok/s or more")
    return [f"{'; '.join(told)}.", "TOK/S with the range of 8 in 10 measurements; ?: the ranges overlap."]


def reason(found: Match) -> str:
    """Why a machine is said to be faster, or none."""
    if not found.known:
        return "none holds it"
    if found.winner is None:
        return NO_TELLING
    return "its band lies above the others'" if found.factor else "no other holds it"
