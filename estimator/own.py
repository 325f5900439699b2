"""The user's own runs: where measurements on this machine lie beside the prediction, as a correction of it.

What a device's own runs share is its build, its drivers and its cooling; the rest of a residual belongs to the model
and its kernels. So few runs count for little: the median of the logarithms of measured / predicted is drawn to nothing
by n / (n + DRAWN).

`benchmarks/own_runs.py` tries it on the published rows: the runs of one device, engine and source are one user's, and
are predicted by constants that never saw the device. Seen there, for decode and models that are not among the own runs:

    own runs        1              3              5              10
    median error    10 -> 8 %      10 -> 8 %      8 -> 7 %       8 -> 8 %
    p90 error       42 -> 34 %     110 -> 62 %    28 -> 20 %     36 -> 31 %
    better for      72 % of 50     64 % of 11     57 % of 7      1 of 3 boxes

So it is worth most where the prediction is far off and little where it is near, and at any number it makes about one
box in three worse. For prefill the median stays where it is (17 % with three, 15 % with five) and p90 falls by a tenth
to a third. The mean error hardly changes for DRAWN from 0 to 3 and rises from 4 on. A single run helps there as well,
but a benchmark is not disturbed as a stretch of live work is: LEAST must be there before anything is said.
"""

import math
from collections.abc import Iterable
from statistics import median
from typing import Literal

from msgspec import Struct

from .snapshot import Band
from .software import Software

Phase = Literal["decode", "prefill"]

LEAST = 3
"""Models or formats that must have been run before anything is corrected."""
DRAWN = 3.0
"""Runs' worth of "no correction" that is mixed in."""
NARROWER = 0.8
"""Power of the band's ends that still holds eight of ten measurements once the value is corrected."""
FAR = 10.0
"""Times off, either way, from which a run was something else: another device, a model taken for another."""
LONGEST = 120
"""Characters of a name that are kept."""


class Run(Struct, frozen=True, kw_only=True):
    """One steady stretch of work of one model, held against the prediction for it."""

    engine: str
    """Its name among the estimator's engines: "llama.cpp"."""
    backend: str
    device: str
    model: str
    quantization: str | None = None
    phase: Phase
    ratio: float
    """Measured / predicted, by the prediction without any correction."""
    when: float
    """Unix time."""


class Correction(Struct, frozen=True, kw_only=True):
    """What the user's own runs say of a prediction."""

    factor: float
    """Multiplies the rate."""
    runs: int
    """Models and formats that it rests on."""
    narrower: float
    """Power to which the ratio of each end of the band to its value is raised."""
    words: str
    """For the basis of the prediction."""

    def correct(self, band: Band) -> Band:
        """The rate and its band with the correction."""
        value = band.value * self.factor
        low, high = (value * (end / band.value) ** self.narrower for end in (band.low, band.high))
        return Band(value=value, low=low, high=high)


def correction(
    runs: Iterable[Run], software: Software, device: str, phase: Phase, but: str | None = None
) -> Correction | None:
    """What runs of this engine and backend on this device say; None where they are too few.

    Runs of one model and format count as one, however many they are. `but` names a model whose own runs are left out:
    what is measured now must not vouch for itself.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        if (run.engine, run.backend, run.device, run.phase) != (software.engine.name, software.backend, device, phase):
            continue
        if 1.0 / FAR <= run.ratio <= FAR and (but is None or bare(run.model) != bare(but)):
            found.setdefault((bare(run.model), run.quantization or ""), []).append(math.log(run.ratio))
    count = len(found)
    if count < LEAST:
        return None
    factor = math.exp(shrunk([median(each) for each in found.values()]))
    words = f"your own {count} runs of {software.engine.name} here: x{factor:.2f}"
    return Correction(factor=factor, runs=count, narrower=NARROWER, words=words)


def shrunk(logarithms: list[float], drawn: float = DRAWN) -> float:
    """The median of logarithms of measured / predicted, drawn to 0 the more the fewer they are."""
    count = len(logarithms)
    return median(logarithms) * count / (count + drawn)


def bare(name: str) -> str:
    """A model's name without the folder or the owner before it, which may be private."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2][:LONGEST]
