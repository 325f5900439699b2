"""A simulation: how a GPU answers to its power limit, by a sweep that somebody published; nothing was measured here."""

import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

SWEEPS = Path(__file__).parents[2] / "estimator" / "data" / "power_limits.csv"
BINDS = 0.97
"""Share of its limit from which a draw is held down by it."""


class Step(Struct, frozen=True):
    """One row of a sweep."""

    limit_w: float
    tps: float
    draw_w: float
    clock_mhz: float | None = None


class Curve(Struct, frozen=True, kw_only=True):
    """A whole sweep, the lowest limit first."""

    name: str
    """"RTX 4090 decode x1, Qwen3.6-27B UD-Q3_K_XL"."""
    hardware: str
    phase: Literal["decode", "prefill"]
    streams: int
    stock_limit_w: float
    steps: tuple[Step, ...]

    def at(self, limit_w: float) -> Step:
        """Between two rows straight; below the lowest all falls with the limit, above the highest nothing changes."""
        first, last = self.steps[0], self.steps[-1]
        if limit_w <= first.limit_w:
            share = limit_w / first.limit_w
            return Step(limit_w, first.tps * share, first.draw_w * share, first.clock_mhz and first.clock_mhz * share)
        if limit_w >= last.limit_w:
            return Step(limit_w, last.tps, last.draw_w, last.clock_mhz)
        high = next(place for place, step in enumerate(self.steps) if step.limit_w >= limit_w)
        low, up = self.steps[high - 1], self.steps[high]
        part = (limit_w - low.limit_w) / (up.limit_w - low.limit_w)
        clock = _between(low.clock_mhz, up.clock_mhz, part) if low.clock_mhz and up.clock_mhz else None
        return Step(limit_w, _between(low.tps, up.tps, part), _between(low.draw_w, up.draw_w, part), clock)

    def binds(self, limit_w: float) -> bool:
        """Whether the limit holds the draw down there."""
        return self.at(limit_w).draw_w >= BINDS * limit_w

    def knee(self, keep: float, baseline_w: float | None = None) -> float:
        """The lowest published limit that keeps that share of the speed at `baseline_w` (else at the highest)."""
        whole = self.at(baseline_w or self.steps[-1].limit_w).tps
        return min(step.limit_w for step in self.steps if step.tps >= keep * whole)


class Noise:
    """A factor around 1: an autoregressive series in time and a drift. Equal seeds, equal series."""

    def __init__(self, seed: int, *, sigma: float = 0.0, memory_s: float = 0.0, drift_per_hour: float = 0.0) -> None:
        """`sigma`: standard deviation from moment to moment; `memory_s`: seconds after which 1/e of it is left."""
        self._random = random.Random(seed)
        self._sigma, self._memory_s, self._drift = sigma, memory_s, drift_per_hour
        self._time: float | None = None
        self._started = 0.0
        self._now = 0.0

    def at(self, time: float) -> float:
        """The factor; `time` may not go back."""
        if self._time is None:
            self._started, self._now = time, self._random.gauss(0.0, 1.0)
        else:
            kept = math.exp(-(time - self._time) / self._memory_s) if self._memory_s else 0.0
            self._now = kept * self._now + math.sqrt(1 - kept * kept) * self._random.gauss(0.0, 1.0)
        self._time = time
        return max(1.0 + self._sigma * self._now + self._drift * (time - self._started) / 3600, 0.05)


def curves() -> list[Curve]:
    """All published sweeps of four limits or more."""
    found: dict[tuple[str, ...], list[dict[str, str]]] = {}
    with SWEEPS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            phase = "decode" if row["decode_tps"] else "prefill"
            key = (row["hardware"], phase, row["batch"], row["model"], row["engine"])
            found.setdefault(key, []).append(row)
    return [_curve(key, rows) for key, rows in found.items()]


def curve(words: str) -> Curve:
    """The one sweep whose name has all these words: "4090 decode x1"."""
    matching = [each for each in curves() if all(word in each.name for word in words.split())]
    assert len(matching) == 1, (words, [each.name for each in curves()])
    return matching[0]


def _curve(key: Sequence[str], rows: list[dict[str, str]]) -> Curve:
    hardware, phase, batch, model, _ = key
    steps = [
        Step(
            float(row["power_limit_w"]),
            float(row["decode_tps"] or row["prefill_tps"]),
            float(row["actual_w"]),
            float(row["sm_clk_mhz"]) if row["sm_clk_mhz"] else None,
        )
        for row in rows
    ]
    return Curve(
        name=f"{hardware} {phase} x{batch}, {model}",
        hardware=hardware,
        phase="decode" if phase == "decode" else "prefill",
        streams=int(batch),
        stock_limit_w=float(rows[0]["stock_limit_w"]),
        steps=tuple(sorted(steps, key=lambda step: step.limit_w)),
    )


def _between(low: float, high: float, part: float) -> float:
    return low + (high - low) * part
