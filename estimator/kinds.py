"""Kinds of number formats: weights that are unpacked the same way."""

from functools import lru_cache

from ..probes.sample import ModelFacts
from .catalogue.formats import format as known_format
from .catalogue.names import UnknownName

BY_BITS = ((12.0, "16-bit"), (7.5, "8-bit"), (0.0, "k-quant"))
"""For a format of no known name: bits per weight from which it counts as a kind."""


def kind(facts: ModelFacts) -> str:
    """The kind of a model's weights, by the name of the format, else by its size."""
    bits = 8.0 * facts.weight_bytes / facts.parameters if facts.weight_bytes and facts.parameters else 16.0
    return _named(facts.quantization or "") or next((name for least, name in BY_BITS if bits >= least), BY_BITS[-1][1])


@lru_cache(maxsize=256)
def _named(name: str) -> str | None:
    try:
        return known_format(name).kind if name else None
    except UnknownName:
        return None
