"""The model that `llmtop fit MODEL` is about, in the quantisations that there are of it."""

import argparse

from ...estimator.catalogue.models import model as known_model
from ...estimator.fit import Wish, fit
from ...estimator.offers import READING_TPS, Offer, of_model, offer
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
    name = options.model
    asked = asked_model(name, options.quant, None, wanted.engine)
    if asked.facts.source == "catalogue":
        row = known_model(name)
        only = (
            [asked.facts.quantization or ""] if options.quant or _says_format(name, asked.facts.quantization) else None
        )
        found = of_model(row, about.box, wanted, options.min_tps or READING_TPS, only)
        if first is not None:
            found.sort(key=lambda each: each.fit.facts.quantization != first)
        notes = tuple(note for note in asked.notes if "no quantisation was named" not in note)
        return found, (*notes, *_limited(asked.facts, wanted))
    return [offer(None, fit(asked.facts, about.box, wanted))], (*asked.notes, *_limited(asked.facts, wanted))


def _limited(facts: ModelFacts, wanted: Wish) -> list[str]:
    """That it cannot have the context that was asked for."""
    limit = facts.context_length
    return (
        [f"{facts.name} has {limit} tokens of context at most: so many are taken"]
        if limit and limit < wanted.context
        else []
    )


def _says_format(name: str, quantization: str | None) -> bool:
    """Whether the name itself says the quantisation, as "llama3.1:8b-q4_K_M" does."""
    plain = "".join(sign for sign in name.casefold() if sign.isalnum())
    return bool(quantization) and "".join(sign for sign in (quantization or "").casefold() if sign.isalnum()) in plain
