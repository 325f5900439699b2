"""What good software reaches: the terms of a step with their constants, as rates with a band."""

from typing import Literal

from msgspec import Struct

from .constants import Constants, Phase, constants
from .setup import Setup
from .silicon import classes
from .snapshot import Band
from .terms import Term, decode, prefill


class Part(Struct, frozen=True, kw_only=True):
    """One term of a step, in seconds."""

    name: str
    seconds: float
    bytes: float | None = None


class Timing(Struct, frozen=True, kw_only=True):
    """What something takes, and what makes it up."""

    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(part.seconds for part in self.parts)

    def of(self, *names: str) -> float:
        """Seconds of the parts of these names."""
        return sum(part.seconds for part in self.parts if part.name in names)


MEMORY = ("weights", "kv")
ARITHMETIC = ("core", "batch", "matrix", "attention")


def decode_step(setup: Setup, fitted: Constants | None = None) -> Timing:
    """One decode step of all streams. Raises Unanswerable."""
    return _timing(decode(setup), "decode", fitted or constants())


def prompt(setup: Setup, tokens: float, before: float = 0.0, fitted: Constants | None = None) -> Timing:
    """Reading one prompt of `tokens` tokens with `before` tokens in the cache. Raises Unanswerable."""
    return _timing(prefill(setup, tokens, before), "prefill", fitted or constants())


def band(setup: Setup, phase: Phase, value: float, fitted: Constants | None = None) -> tuple[Band, str]:
    """A rate with the range that eight of ten measurements fall into, and what that range rests on, in words."""
    name, spread = (fitted or constants()).spread(phase, spread_names(setup))
    rests = f"{name}: {spread.rows} rows on {spread.devices} devices, {spread.years}"
    return Band(value=value, low=value * spread.low, high=value * spread.high), rests


Limit = Literal["bandwidth", "compute", "overhead"]


def limit(timing: Timing) -> Limit:
    """What most of the time goes into: reading memory, arithmetic, or the fixed cost of each layer and exchange."""
    memory, arithmetic = timing.of(*MEMORY), timing.of(*ARITHMETIC)
    rest = timing.seconds - memory - arithmetic
    if rest > max(memory, arithmetic):
        return "overhead"
    return "bandwidth" if memory >= arithmetic else "compute"


def spread_names(setup: Setup) -> tuple[str, ...]:
    """Under which names the spread of a setup may stand, the special before the general."""
    engine = setup.software.engine
    kinds = tuple(dict.fromkeys(reversed(classes(setup.software.backend, setup.stages[0].device))))
    split = " over several devices" if len(setup.stages) > 1 or setup.stages[0].ways > 1 else ""
    return (
        *(f"{engine.name}, {kind}{split}" for kind in kinds),
        f"{engine.name}{split}",
        *(f"{engine.kin}, {kind}{split}" for kind in kinds),
        f"{engine.kin}{split}",
        *(f"{engine.name}, {kind}" for kind in kinds),
    )


def _timing(terms: list[Term], phase: Literal["decode", "prefill"], fitted: Constants) -> Timing:
    return Timing(
        parts=tuple(Part(name=term.name, seconds=fitted.seconds(phase, term), bytes=term.bytes) for term in terms)
    )
