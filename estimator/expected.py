"""What good software reaches: the terms of a step with their constants, as rates with a band."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .constants import ALL, Constants, Phase, constants
from .setup import Setup
from .silicon import classes
from .snapshot import Band
from .terms import Term, decode, prefill


class Part(Struct, frozen=True, kw_only=True):
    """One term of a step, in seconds."""

    name: str
    seconds: float
    bytes: float | None = None
    host: bool = False


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


WIDER = 1.3
"""Power to which a range that is taken from kin is raised."""
MEMORY = ("weights", "kv")
ARITHMETIC = ("core", "batch", "matrix", "attention")


def decode_step(setup: Setup, fitted: Constants | None = None) -> Timing:
    """One decode step of all streams. Raises Unanswerable."""
    return _no_worse_than_apart(_timing(decode(setup), "decode", fitted or constants()), setup.streams)


def prompt(setup: Setup, tokens: float, before: float = 0.0, fitted: Constants | None = None) -> Timing:
    """Reading one prompt of `tokens` tokens with `before` tokens in the cache. Raises Unanswerable."""
    return _timing(prefill(setup, tokens, before), "prefill", fitted or constants())


def band(setup: Setup, phase: Phase, value: float, fitted: Constants | None = None) -> tuple[Band, str]:
    """A rate with the range that eight of ten measurements fall into, and what that range rests on, in words.

    The range of a setup that has no rows of its own is taken from its kin, and made wider.
    """
    names = spread_names(setup)
    whole = tuple(f"{setup.software.engine.name}, {kind}" for kind in _kinds(setup))
    name, spread = (fitted or constants()).spread(phase, (*names, *whole))
    rests = f"{spread.rows} rows on {spread.devices} devices, {spread.years}"
    if name == names[0]:
        return _around(value, spread.low, spread.high), f"{name}: {rests}"
    kin = "all rows" if name == ALL else name
    words = f"too few rows of {names[0]}: the range is that of {kin} ({rests}), made wider"
    return _around(value, spread.low**WIDER, spread.high**WIDER), words


def _around(value: float, low: float, high: float) -> Band:
    """The band between two ratios; the value itself is always inside."""
    return Band(value=value, low=value * min(low, 1.0), high=value * max(high, 1.0))


Limit = Literal["bandwidth", "compute", "overhead"]


def limit(timing: Timing) -> Limit:
    """What most of the time goes into: reading memory, arithmetic, or the fixed cost of each layer and exchange."""
    memory, arithmetic = timing.of(*MEMORY), timing.of(*ARITHMETIC)
    rest = timing.seconds - memory - arithmetic
    if rest > max(memory, arithmetic):
        return "overhead"
    return "bandwidth" if memory >= arithmetic else "compute"


def spread_names(setup: Setup) -> tuple[str, ...]:
    """Under which names the spread of a setup is filed, the special before the general."""
    engine, kinds = setup.software.engine, _kinds(setup)
    split = " over several devices" if len(setup.stages) > 1 or setup.stages[0].ways > 1 else ""
    if any(stage.device.kind == "cpu" for stage in setup.stages[1:]):
        split = " with a part on the CPU"
    return (
        *(f"{engine.name}, {kind}{split}" for kind in kinds),
        f"{engine.name}{split}",
        *(f"kin of {engine.kin}, {kind}{split}" for kind in kinds),
        f"kin of {engine.kin}{split}",
    )


def _no_worse_than_apart(step: Timing, streams: float) -> Timing:
    """Many streams together take no longer than one after the other would: software could always do that."""
    shared = step.of("weights", "core", "layers", "exchange", "hop")
    together = step.of("batch")
    allowed = (streams - 1.0) * shared
    if together <= allowed or not together:
        return step
    parts = [
        replace(part, seconds=part.seconds * allowed / together) if part.name == "batch" else part
        for part in step.parts
    ]
    return Timing(parts=tuple(parts))


def _kinds(setup: Setup) -> tuple[str, ...]:
    return tuple(reversed(classes(setup.software.backend, setup.stages[0].device)))


def _timing(terms: list[Term], phase: Literal["decode", "prefill"], fitted: Constants) -> Timing:
    return Timing(
        parts=tuple(
            Part(name=term.name, seconds=fitted.seconds(phase, term), bytes=term.bytes, host=term.host)
            for term in terms
        )
    )
