"""A price of energy as people write it: "0.30", "0.30 EUR", "€0.30"."""

import re
import unicodedata

from ..estimator.snapshot import Price

BELOW = 1000.0
"""A price that is no price of a kWh any more."""
_WRITTEN = re.compile(r"(\D*?)\s*(\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})\s*(\D*)", re.ASCII)
LONGEST = 8


def price(text: str) -> Price:
    """Reads a price for a kWh.

    Raises:
        ValueError: it is none; the words say how it is meant.
    """
    written = _WRITTEN.fullmatch(text.strip())
    before, number, after = written.groups() if written else ("", "0", "")
    per_kwh, currency = float(number), (before or after).strip()
    named = not (before and after) and len(currency) <= LONGEST and all(map(_is_of_a_currency, currency))
    if not named or not 0.0 < per_kwh < BELOW:
        raise ValueError(f'{text[:40]!r} is no price of a kWh between 0 and 1000: write it as 0.30 or "0.30 EUR"')
    return Price(per_kwh=per_kwh, currency=currency or None)


def _is_of_a_currency(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character) == "Sc"
