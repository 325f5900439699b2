"""Speculative decoding: what drafts bring, from how many of them are right to how much faster it is.

A cheap draft guesses the next tokens, one step of the model checks them all, and the right ones up to the first wrong
one are kept, with one token more that the step itself makes (Leviathan et al., arXiv 2211.17192; Chen et al., arXiv
2302.01318). So a step makes more tokens than there are streams, and tokens/s may pass the roof of a token a step.
"""

from msgspec import Struct
from msgspec.structs import replace

from .constants import Constants
from .expected import Timing, decode_step
from .setup import Setup

HALVINGS = 60


class Speculation(Struct, frozen=True, kw_only=True):
    """What a step does for each stream, on average over all its steps, those without a draft as well."""

    tokens: float
    """Tokens that it makes: 1 where no guess was right."""
    drafted: float
    """Guessed tokens that it checks."""

    @property
    def accepted_share(self) -> float | None:
        """Share of the guesses that were right."""
        return (self.tokens - 1.0) / self.drafted if self.drafted else None


def observed(
    drafts: float | None, drafted: float | None, accepted: float | None, generated: float | None = None
) -> Speculation | None:
    """What the counters of an engine say, each as its growth over the same window; None where nothing was drafted.

    Each step makes one token of its own, so there were `generated` - `accepted` of them, of all streams together. That
    counts the steps that had no draft, as an n-gram lookup that found nothing. Without `generated` every step had one.
    """
    if not drafts or drafts < 0 or accepted is None or accepted < 0:
        return None
    steps = max(drafts, (generated or 0.0) - accepted)
    return Speculation(tokens=(steps + accepted) / steps, drafted=max(drafted or 0.0, accepted) / steps)


def tokens_per_step(drafts: float | None, accepted: float | None, generated: float | None = None) -> float | None:
    """Tokens that a step makes of each stream; see `observed`."""
    found = observed(drafts, None, accepted, generated)
    return found.tokens if found else None


def predicted(chance: float, drafted: float) -> Speculation:
    """What drafts of `drafted` tokens bring when each guess is right with this chance (Leviathan et al., equation 1).

    (1 - chance^(drafted + 1)) / (1 - chance), between 1 and drafted + 1.
    """
    chance = min(max(chance, 0.0), 1.0)
    drafted = max(drafted, 0.0)
    tokens = drafted + 1.0 if chance == 1.0 else (1.0 - chance ** (drafted + 1.0)) / (1.0 - chance)
    return Speculation(tokens=tokens, drafted=drafted)


def chance(accepted_share: float, drafted: float) -> float:
    """The chance of a single guess from the share of drafted tokens that are accepted, which engines print.

    The share is lower: nothing behind the first wrong guess is accepted, however good. Found by halving, 0-1.
    """
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if (predicted(middle, drafted).tokens - 1.0) < accepted_share * drafted:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def verify_step(setup: Setup, drafted: float, fitted: Constants | None = None) -> Timing:
    """The step that checks `drafted` guesses of each stream and adds a token. Raises Unanswerable.

    It works on drafted + 1 tokens of each stream as on so many streams, with all that costs (arithmetic, the experts
    that they touch, the exchange between devices), but reads the KV cache and the state of each stream once.
    """
    once = decode_step(setup, fitted)
    if drafted <= 0:
        return once
    wide = decode_step(replace(setup, streams=max(setup.streams, 1.0) * (drafted + 1.0)), fitted)
    cached = tuple(part for part in once.parts if part.name == "kv")
    return Timing(parts=(*(part for part in wide.parts if part.name != "kv"), *cached))


def speed_up(
    setup: Setup, speculation: Speculation, draft: Setup | None = None, fitted: Constants | None = None
) -> float:
    """Tokens/s with speculation over those without; below 1 where it costs more than it brings. Raises Unanswerable.

    tokens x step / (verifying step + drafted x step of the draft): theorem 3.8 of Leviathan et al., which takes the
    verifying step to cost as much as a plain one. `draft` is the model that guesses, under the same load. Guesses from
    n-grams, from heads of the model itself (MTP) and of its size (EAGLE) cost next to nothing: None.
    """
    plain = decode_step(setup, fitted).seconds
    guessing = speculation.drafted * decode_step(draft, fitted).seconds if draft else 0.0
    return speculation.tokens * plain / (verify_step(setup, speculation.drafted, fitted).seconds + guessing)
