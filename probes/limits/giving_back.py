"""Putting one limit back where it was."""

from typing import Literal, NamedTuple

from .contract import Limit
from .journal import Entry


class Outcome(NamedTuple):
    """What was done, and where the limit stands now."""

    kind: Literal["there", "put back", "not ours"]
    """It was there already; it was put there; somebody set another since, which is left alone."""
    now_w: float


def give_back(limit: Limit, entry: Entry) -> Outcome:
    """Puts back what llmtop changed, and nothing else.

    Raises:
        LimitError: it could not be read or set, so it has to be tried again.
    """
    now_w = limit.read()
    if entry.clean or entry.back(now_w):
        return Outcome("there", now_w)
    if not entry.ours(now_w):
        return Outcome("not ours", now_w)
    return Outcome("put back", limit.write(entry.original_w))
