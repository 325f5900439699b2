"""What good software reaches: the terms of a step with their constants, as rates with a band."""

from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .constants import ALL, Constants, Phase, constants
from .model import routed_share, touched_share, weight_bytes_read
from .setup import Setup
from .silicon import classes
from .snapshot import Band
from .software import Engine
from .terms import Term, decode, prefill


class Part(Struct, frozen=True, kw_only=True, gc=False):
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
        return sum([part.seconds for part in self.parts])

    def of(self, *names: str) -> float:
        """Seconds of the parts of these names."""
        return sum([part.seconds for part in self.parts if part.name in names])

    @property
    def by_name(self) -> dict[str, float]:
        """Seconds on the devices by the name of the term; without what the host's CPU does."""
        found: dict[str, float] = {}
        for part in self.parts:
            if not part.host:
                found[part.name] = found.get(part.name, 0.0) + part.seconds
        return found


WIDER = 1.15
"""Power to which a range that is taken from kin is raised."""
MEMORY = ("weights", "kv")
ARITHMETIC = ("core", "batch", "matrix", "attention")


def decode_step(setup: Setup, fitted: Constants | None = None) -> Timing:
    """One decode step of all streams. Raises Unanswerable."""
    return _no_worse_than_apart(_timing(decode(setup), "decode", fitted or constants()), setup)


def prompt(
    setup: Setup, tokens: float, before: float = 0.0, fitted: Constants | None = None, together: float = 1.0
) -> Timing:
    """Reading one prompt of `tokens` tokens with `before` tokens in the cache; of several one. Raises Unanswerable."""
    return _timing(prefill(setup, tokens, before, together), "prefill", fitted or constants())


def band(setup: Setup, phase: Phase, value: float, fitted: Constants | None = None) -> tuple[Band, str]:
    """A rate with the range that eight of ten measurements fall into, and what that range rests on, in words.

    The range of a setup that has no rows of its own is taken from its kin, and made wider.
    """
    kinds, split = classes(setup.software.backend, setup.stages[0].device), _split(setup)
    names = _names(setup.software.engine, kinds, split)
    known = (*names, *_names(setup.software.engine, kinds, "")) if split else names
    name, spread = (fitted or constants()).spread(phase, known)
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
    memory = arithmetic = rest = 0.0
    for part in timing.parts:
        if part.name in MEMORY:
            memory += part.seconds
        elif part.name in ARITHMETIC:
            arithmetic += part.seconds
        else:
            rest += part.seconds
    if rest > max(memory, arithmetic):
        return "overhead"
    return "bandwidth" if memory >= arithmetic else "compute"


def spread_names(setup: Setup) -> tuple[str, ...]:
    """Under which names the spread of a setup is filed, the special before the general."""
    kinds = classes(setup.software.backend, setup.stages[0].device)
    return _names(setup.software.engine, kinds, _split(setup))


def _split(setup: Setup) -> str:
    own, *others = setup.stages
    if any(stage.device.kind == "cpu" for stage in others):
        return " with a part on the CPU"
    return " over several devices" if others or own.ways > 1 else ""


@lru_cache(maxsize=1024)
def _names(engine: Engine, kinds: tuple[str, ...], split: str) -> tuple[str, ...]:
    special = kinds[::-1]
    return (
        *(f"{engine.name}, {kind}{split}" for kind in special),
        f"{engine.name}{split}",
        *(f"kin of {engine.kin}, {kind}{split}" for kind in special),
        f"kin of {engine.kin}{split}",
    )


def _no_worse_than_apart(step: Timing, setup: Setup) -> Timing:
    """Many streams together take no longer than in turns, which software could always do.

    What a stream adds to a batch must not be more than it saves: the layers, the work in the cores and the weights that
    it shares with the others. Of routed experts the second stream shares the square of the share that one uses, the
    next ones more.
    """
    together = step.of("batch")
    if not together:
        return step
    routed = routed_share(setup.facts)
    common = weight_bytes_read(setup.facts, routed * routed) or 0.0
    read = weight_bytes_read(setup.facts, touched_share(setup.facts, setup.streams)) or 1.0
    shared = step.of("core", "layers", "exchange", "hop") + step.of("weights") * common / read
    allowed = (setup.streams - 1.0) * shared
    if together <= allowed:
        return step
    parts = [
        replace(part, seconds=part.seconds * allowed / together) if part.name == "batch" else part
        for part in step.parts
    ]
    return Timing(parts=tuple(parts))


def _timing(terms: list[Term], phase: Literal["decode", "prefill"], fitted: Constants) -> Timing:
    take = fitted.seconds
    return Timing(
        parts=tuple(
            [Part(name=term.name, seconds=take(phase, term), bytes=term.bytes, host=term.host) for term in terms]
        )
    )
