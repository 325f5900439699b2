"""What a person would take of everything that a machine can run: the quantisation of each model, and which model first.

Quantisation: on the GPUs alone and brisk, the best one up to 8 bits, for nobody can tell more bits from it; else the
smallest of those with 4 bits and more, for speed; fewer bits only where nothing else fits.

Order: what runs at reading speed before what does not; then by worth, the effective size times what is left of it in
few bits, what a year of progress makes of it, and the root of the speed up to a brisk one. The effective size of a
mixture of experts is the geometric mean of all its parameters and those that a token uses, a rule of thumb among those
who train them. Progress: the size that the same result needs halves within about 3.3 months by "Densing law of LLMs"
(Xiao et al., arXiv 2412.04315); a year is taken for it here, since benchmarks count more of the progress than people.
"""

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .catalogue.formats import format as known_format
from .catalogue.models import CatalogueModel
from .fit import Box, Fit, Wish, fit
from .format_names import NATIVE, common, usual
from .predict import Prediction, predict
from .software import Engine

BRISK_TPS = 25.0
"""Decode rate from which more speed is worth less than better weights."""
GOOD_BITS = 4.0
"""Bits per weight below which a model answers noticeably worse."""
DOUBLING_YEARS = 1.0
LEFT = ((4.0, 1.0), (3.0, 0.8), (0.0, 0.5))
"""Bits per weight, and what is left of the effective size from there on: by the perplexities that llama.cpp's PR 1684
gives, 13B in Q2_K is as good as 7B in 16 bit, in Q3_K_M as one of some 10B, and in Q4_K_M nearly as good as itself."""


class Offer(Struct, frozen=True, kw_only=True):
    """A model in a quantisation with its place, and the speed there."""

    model: CatalogueModel | None
    """Its row; None for a file of this machine that the catalogue does not know."""
    fit: Fit
    found: Prediction | None
    """None where it fits nowhere."""
    chosen: bool = False
    """Whether it is the quantisation that a person would take."""

    @property
    def max_context(self) -> int | None:
        """The longest context with all of it on the devices; the one that was asked for where a part is on the CPU."""
        if self.found is None:
            return None
        return round(self.fit.question.room) if self.fit.runs_on == "gpu+cpu" else self.found.longest_context

    @property
    def reads_only(self) -> bool:
        """Whether it makes a vector of a text, and no next token."""
        return self.model is not None and "embed" in self.model.tasks

    @property
    def tps(self) -> float:
        """What is expected, of decoding, or of reading where it does that only; 0 where it fits nowhere."""
        if self.found is None:
            return 0.0
        read = self.found.prefill_tps
        return read.value if self.reads_only and read else self.found.decode_tps.value


def ladder(model: CatalogueModel, engine: Engine) -> tuple[str, ...]:
    """The sensible quantisations, best first: without 16 bits, and only the one that it was made in if there is one."""
    if model.family in NATIVE:
        return (usual(engine, model.family).name,)
    return tuple(name for name in common(engine) if name != "BF16") or common(engine)


def small_format(model: CatalogueModel, engine: Engine) -> str:
    """The smallest sensible quantisation that is not noticeably worse."""
    names = ladder(model, engine)
    return next((name for name in reversed(names) if known_format(name).bits >= GOOD_BITS), names[-1])


def offers(
    models: Iterable[CatalogueModel],
    box: Box,
    wish: Wish,
    formats: Sequence[str] | None = None,
    *,
    others: bool = True,
) -> list[Offer]:
    """All models in all their sensible quantisations, the best model first and its chosen quantisation first of it.

    Args:
        models: those that are asked about.
        box: the machine.
        wish: what is wanted of them.
        formats: these quantisations instead, from large to small.
        others: whether the quantisations that were not chosen are wanted, too.

    Raises:
        Unanswerable: the engine runs on none of the devices, or nothing is known of their memory.
    """
    found = [of_model(model, box, wish, formats, others=others) for model in models]
    found.sort(key=lambda row: _rank(row[0], wish.least_tps), reverse=True)
    return [each for row in found for each in row]


def of_model(
    model: CatalogueModel,
    box: Box,
    wish: Wish,
    formats: Sequence[str] | None = None,
    *,
    others: bool = True,
) -> list[Offer]:
    """One model in its quantisations, the chosen one first, then from large to small, unless it is to be alone."""
    row = _Row(model, formats or ladder(model, wish.engine), box, wish)
    best = row.chosen()
    rest = [row.offer(at) for at in range(len(row)) if at != best] if others else []
    return [replace(row.offer(best), chosen=True), *rest]


def offer(model: CatalogueModel | None, placed: Fit) -> Offer:
    """One place with the speed, where it fits."""
    return Offer(model=model, fit=placed, found=predict(placed.question) if placed.runs_on else None)


class _Row:
    """The quantisations of one model from large to small; nothing is asked before it counts."""

    def __init__(self, model: CatalogueModel, names: Sequence[str], box: Box, wish: Wish) -> None:
        self._model = model
        self._formats = [known_format(name) for name in names]
        self._box = box
        self._wish = wish
        self._placed: dict[int, Fit] = {}
        self._made: dict[int, Offer] = {}

    def __len__(self) -> int:
        return len(self._formats)

    def offer(self, at: int) -> Offer:
        """With the speed, where it fits."""
        if at not in self._made:
            self._made[at] = offer(self._model, self._place(at))
        return self._made[at]

    def chosen(self) -> int:
        """Which one a person would take. What is smaller fits wherever something larger does, and is faster there."""
        everything, least_tps = range(len(self)), self._wish.least_tps
        good = [at for at in everything if self._formats[at].bits >= GOOD_BITS] or list(everything)
        for at in good if self._box.gpus else ():
            if self._place(at).runs_on == "gpu" and self.offer(at).tps >= BRISK_TPS:
                return at
        small = good[-1]
        fits = self._place(small).runs_on is not None
        if fits and self.offer(small).tps >= least_tps:
            return small
        poor = [at for at in everything if at not in good and self._place(at).runs_on]
        fast = [at for at in poor if self.offer(at).tps >= least_tps]
        return next(iter((*fast, *([small] if fits else []), *poor)), len(self) - 1)

    def _place(self, at: int) -> Fit:
        if at not in self._placed:
            self._placed[at] = fit(self._model.facts(self._formats[at]), self._box, self._wish)
        return self._placed[at]


def _bits(placed: Fit) -> float:
    return known_format(placed.facts.quantization or "").bits


def worth(made: Offer) -> float:
    """A measure of what it does for a person, in effective millions of parameters of a model of the year 2000."""
    model = made.model
    if model is None:
        return 0.0
    bits = _bits(made.fit)
    left = next(share for least, share in LEFT if bits >= least)
    pace = math.sqrt(min(made.tps / BRISK_TPS, 1.0))
    size = math.sqrt(model.parameters_m * model.active_m)
    return size * left * pace * math.exp2((_year(model.released) - 2000.0) / DOUBLING_YEARS)


def _rank(best: Offer, least_tps: float) -> tuple[bool, bool, float]:
    return best.tps >= least_tps, best.found is not None, worth(best)


def _year(released: str | None) -> float:
    """2025.25 of "2025-04"; that of the first models of the catalogue where it is not known."""
    if released is None:
        return 2022.0
    year, _, month = released.partition("-")
    return int(year) + (int(month or 1) - 1) / 12
