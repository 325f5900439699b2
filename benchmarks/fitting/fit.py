"""The fit: constants that make the sums of terms meet the measurements, as few and as near to 1 as the rows allow.

Each constant is exp(theta). The sum of squares of robust residuals of log(predicted / measured) is made least together
with (theta / scale)^2, which draws each special constant to that of its more general kin: a class with few rows hardly
moves away from it. That is the maximum of the posterior of a hierarchical model with normal priors.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from llmtop.estimator.constants import ALL, Constants, Phase, Spread
from numpy.typing import NDArray

from .cases import Case, kept

Array = NDArray[np.float64]
Key = tuple[str, str, str]
"""Phase, term, name."""

STARTS: dict[tuple[str, str], tuple[float, float]] = {
    ("decode", "layers"): (60e-6, 1.0),
    ("decode", "weights"): (1.08, 0.02),
    ("decode", "kv"): (1.3, 0.3),
    ("decode", "core"): (2.5, 1.0),
    ("decode", "attention"): (1.0, 1.0),
    ("decode", "batch"): (3.0, 0.7),
    ("decode", "exchange"): (20e-6, 0.7),
    ("decode", "hop"): (100e-6, 1.0),
    ("prefill", "layers"): (60e-6, 1.0),
    ("prefill", "weights"): (1.2, 0.2),
    ("prefill", "matrix"): (3.0, 0.7),
    ("prefill", "attention"): (4.0, 0.7),
    ("decode", "traffic"): (3.0, 0.7),
    ("prefill", "copy"): (1.25, 0.1),
    ("prefill", "exchange"): (20e-6, 0.7),
    ("prefill", "traffic"): (1.5, 0.7),
}
"""What the constant of all cases begins with, and how far it may go (a standard deviation of its logarithm)."""
SPECIAL: dict[str, float] = {"weights": 0.03, "kv": 0.12, "layers": 0.5, "core": 0.5}
"""How far a special constant may go from its kin, by term; 0.4 for the others."""
SCALE = 0.03
"""Residual of the logarithm from which a row counts as an outlier."""
CAUCHY = 2.0
"""Half the square of the residual from which a row of unknown origin counts for less and less."""
ROUNDS, HALVINGS = 60, 12
SMALLEST = 0.02
"""Special constants nearer to 1 than this are left out."""


class Fit:
    """The rows as arrays, and the constants that they are fitted with."""

    def __init__(self, found: Sequence[Case]) -> None:
        self.cases = found
        keys: dict[Key, int] = {}
        entries: list[tuple[int, float, list[int]]] = []
        for index, case in enumerate(found):
            for phase, times, term in case.pieces:
                if term.amount > 0:
                    filed = [keys.setdefault((phase, term.name, name), len(keys)) for name in (ALL, *term.names)]
                    entries.append((index, times * term.amount, filed))
        self.keys = list(keys)
        self._row = np.array([entry[0] for entry in entries])
        self._amount = np.log([entry[1] for entry in entries])
        self._entry = np.array([place for place, (_, _, filed) in enumerate(entries) for _ in filed])
        self._key = np.array([key for _, _, filed in entries for key in filed])
        self._tokens = np.log([case.tokens for case in found])
        self._measured = np.log([case.row.value or 1.0 for case in found])
        self._user = np.array([case.user for case in found])
        self.start = np.array([_prior(key)[0] for key in self.keys])
        self._scale = np.array([_prior(key)[1] for key in self.keys])
        self.kept = np.zeros(len(found))
        """Logarithm of what power limits leave of the speed."""

    @property
    def everything(self) -> NDArray[np.bool_]:
        """All rows."""
        return np.ones(len(self.cases), dtype=bool)

    def predict(self, theta: Array) -> Array:
        """Logarithms of the predicted rates."""
        return self._tokens - np.log(self._total(self._seconds(theta))) + self.kept

    def solve(self, used: NDArray[np.bool_], begin: Array | None = None) -> Array:
        """The constants for the rows that are used: Gauss-Newton steps, with weights from the size of the residuals."""
        weight = self._weights(used)
        theta = np.array(self.start if begin is None else begin)
        size = self._cost(theta, weight)
        for _ in range(ROUNDS):
            slope = self._slope(theta)
            off = self.predict(theta) - self._measured
            trust = weight * self._trust(off)
            normal = slope.T @ (slope * trust[:, None]) + np.diag(self._scale**-2.0)
            step = np.linalg.solve(normal, slope.T @ (trust * off) + (theta - self.start) * self._scale**-2.0)
            for _ in range(HALVINGS):
                tried = self._cost(theta - step, weight)
                if tried < size:
                    break
                step /= 2.0
            else:
                break
            theta, gain, size = theta - step, size - tried, tried
            if gain < 1e-6 * size:
                break
        return theta

    def _seconds(self, theta: Array) -> Array:
        return np.exp(self._amount + np.bincount(self._entry, theta[self._key], len(self._amount)))

    def _total(self, seconds: Array) -> Array:
        return np.bincount(self._row, seconds, len(self.cases)).astype(np.float64)

    def _slope(self, theta: Array) -> Array:
        """Derivatives of the logarithms of the rates."""
        seconds = self._seconds(theta)
        share = -seconds / self._total(seconds)[self._row]
        shape = (len(self.cases), len(self.keys))
        places = self._row[self._entry] * shape[1] + self._key
        flat = np.bincount(places, share[self._entry], shape[0] * shape[1])
        return flat.astype(np.float64).reshape(shape)

    def _cost(self, theta: Array, weight: Array) -> float:
        off = (self.predict(theta) - self._measured) / SCALE
        soft, hard = np.sqrt(1.0 + off**2) - 1.0, CAUCHY * np.log(1.0 + off**2 / CAUCHY / 2.0)
        rows = weight * np.where(self._user, hard, soft)
        return float(rows.sum() + 0.5 * (((theta - self.start) / self._scale) ** 2).sum())

    def _trust(self, off: Array) -> Array:
        """Weights by which the squares of the residuals have the slope of their robust form."""
        off = off / SCALE
        return np.where(self._user, 1.0 / (1.0 + off**2 / CAUCHY / 2.0), 1.0 / np.sqrt(1.0 + off**2)) / SCALE**2

    def settle(self, used: NDArray[np.bool_]) -> Array:
        """Solves, with what power limits leave taken from the constants of the round before."""
        theta = self.solve(used)
        if any(case.limited for case in self.cases):
            for _ in range(2):
                fitted = self.constants(theta, {})
                self.kept = np.log([kept(case, fitted) for case in self.cases])
                theta = self.solve(used, theta)
        return theta

    def constants(self, theta: Array, spreads: dict[Phase, dict[str, Spread]]) -> Constants:
        """The constants as they ship."""
        tables: dict[str, dict[str, dict[str, float]]] = {"decode": {}, "prefill": {}}
        for (phase, term, name), value in sorted(zip(self.keys, theta, strict=True)):
            if name == ALL or abs(value) >= SMALLEST:
                tables[phase].setdefault(term, {})[name] = float(f"{np.exp(value):.3g}")
        return Constants(decode=tables["decode"], prefill=tables["prefill"], spreads=spreads)

    def _weights(self, used: NDArray[np.bool_]) -> Array:
        """Many rows of one device and source say little more than a few."""
        groups = [(case.row.hardware, case.row.source, case.row.metric) for case in self.cases]
        count = Counter(group for group, use in zip(groups, used, strict=True) if use)
        weight = np.array([max(count[group], 1) ** -0.7 for group in groups])
        weight *= [case.fits for case in self.cases]
        return np.where(used, np.where(self._user, 0.4 * weight, weight), 0.0)


def _prior(key: Key) -> tuple[float, float]:
    phase, term, name = key
    if name == ALL:
        value, scale = STARTS[phase, term]
        return float(np.log(value)), scale
    return 0.0, SPECIAL.get(term, 0.4)
