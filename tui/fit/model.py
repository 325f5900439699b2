"""The model that `llmtop fit MODEL` is about, in the quantisations that there are of it."""

import argparse

from ...estimator.fit import Wish, fit
from ...estimator.offers import Offer, of_model, offer
from ...probes.sample import ModelFacts
from ..asked_model import asked_model
from .box import AskedBox


def offers_of(
    options: argparse.Namespace, about: AskedBox, wanted: Wish, first: str | None = None
) -> tuple[list[Offer], tuple[str, ...]]:
    """The chosen quantisation first, or `first`; a file has one only. With what was taken where nothing was said.

    Raises:
        UnknownName: it is neither a file nor a name that is known.
        WrongUsage: a file cannot have the quantisation that was asked for.
        Refusal: it is a file that cannot be read.
        Unanswerable: nothing runs on the machine, or its memory is not known.
    """
    asked = asked_model(options.model, options.quant, None, wanted.engine)
    notes = (*asked.notes, *_limited(asked.facts, wanted))
    if asked.row is None:
        return [offer(None, fit(asked.facts, about.box, wanted))], notes
    found = of_model(asked.row, about.box, wanted, None if asked.usual else [asked.facts.quantization or ""])
    if first is not None:
        found.sort(key=lambda each: each.fit.facts.quantization != first)
    return found, notes


def _limited(facts: ModelFacts, wanted: Wish) -> list[str]:
    """That it cannot have the context that was asked for."""
    limit = facts.context_length
    return (
        [f"{facts.name} has {limit} tokens of context at most: so many are taken"]
        if limit and limit < wanted.context
        else []
    )
