"""Sweeps published cards as `llmtop tune` would, with noise, and says whether it finds their knees.

    python benchmarks/sweep.py [--seeds N] [--keep 0.97]

Each published sweep becomes a card whose speed and draw at a limit are the published ones, on the line between two of
them. Its speed is read every second; the seconds scatter, may be alike when they follow each other, and drift by 2 %
in ten minutes. For each noise: the published knee, the limits chosen, how many were wrong (they truly keep a point
less than was asked for), how often nothing could be told, and the stays and minutes that it took. Then the curve that
is predicted before anything is measured, and after a sweep.
"""

import argparse
import csv
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / ".src")]

from llmtop.estimator.power import Phase  # noqa: E402
from llmtop.estimator.tuning.choice import Choice, choose  # noqa: E402
from llmtop.estimator.tuning.curve import answer_at, predicted, refitted  # noqa: E402
from llmtop.estimator.tuning.meter_blocks import Block, Blocks  # noqa: E402
from llmtop.estimator.tuning.point import Point, Rate  # noqa: E402
from llmtop.estimator.tuning.steps import Measured  # noqa: E402
from llmtop.estimator.tuning.sweep import Stay, Sweep  # noqa: E402
from llmtop.probes.sample import Device  # noqa: E402
from msgspec import Struct  # noqa: E402

ROWS = ROOT / "estimator" / "data" / "power_limits.csv"
STOCK_W = {"RTX 3090": 350.0, "RTX 4090": 450.0}
"""The makers' own; some of the cards swept came with more."""
ENOUGH = 10
"""Limits that a sweep must have."""
SETTLE_S, BLOCK_S = 5.0, 2.0
DRIFT, DRIFT_S = 0.02, 600.0


class Noise(Struct, frozen=True):
    """Of the speed from second to second, as a share of it."""

    scatter: float
    alike: float = 0.0
    """Correlation of a second with the one before."""
    drift: float = DRIFT

    def __str__(self) -> str:
        return f"{self.scatter:.1%}{' alike' if self.alike else ''}"


class Card(Struct, frozen=True):
    """A published sweep, as a card that can be measured; limits rise."""

    name: str
    hardware: str
    phase: Measured
    batch: int
    limits_w: tuple[float, ...]
    speeds: tuple[float, ...]
    powers_w: tuple[float, ...]

    @property
    def step_w(self) -> float:
        return self.limits_w[1] - self.limits_w[0]

    def speed(self, limit_w: float) -> float:
        return _line(limit_w, self.limits_w, self.speeds)

    def power_w(self, limit_w: float) -> float:
        return _line(limit_w, self.limits_w, self.powers_w)

    def kept(self, limit_w: float) -> float:
        return self.speed(limit_w) / self.speeds[-1]

    def knee_w(self, keep: float) -> float:
        """The lowest multiple of 5 W from which all above keep so much, on the line between published limits."""
        at = self.limits_w[-1]
        while at > self.limits_w[0] and self.kept(at - 5.0) >= keep:
            at -= 5.0
        return at

    def device(self) -> Device:
        return Device(
            id="nvidia0",
            name=self.hardware,
            vendor="NVIDIA",
            kind="gpu",
            memory_type="GDDR",
            power_limit_default_w=STOCK_W[self.hardware],
            power_limit_min_w=self.limits_w[0],
            power_limit_max_w=self.limits_w[-1],
        )


def cards() -> list[Card]:
    """The published sweeps that have enough limits."""
    groups: dict[tuple[str, str, Measured, int], list[dict[str, str]]] = {}
    with ROWS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phase: Measured = "prefill" if row["prefill_tps"] else "decode"
            groups.setdefault((row["hardware"], row["model"], phase, int(row["batch"])), []).append(row)
    return [_card(*key, rows) for key, rows in groups.items() if len(rows) >= ENOUGH]


def _card(hardware: str, model: str, phase: Measured, batch: int, rows: list[dict[str, str]]) -> Card:
    rows = sorted(rows, key=lambda row: float(row["power_limit_w"]))
    return Card(
        name=f"{hardware}, {model.split(maxsplit=1)[0]}, {phase}{f' x{batch}' if batch > 1 else ''}",
        hardware=hardware,
        phase=phase,
        batch=batch,
        limits_w=tuple(float(row["power_limit_w"]) for row in rows),
        speeds=tuple(float(row[f"{phase}_tps"]) for row in rows),
        powers_w=tuple(float(row["actual_w"]) for row in rows),
    )


def _line(at: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    if at <= xs[0]:
        return ys[0]
    for index in range(1, len(xs)):
        if at <= xs[index]:
            part = (at - xs[index - 1]) / (xs[index] - xs[index - 1])
            return ys[index - 1] + part * (ys[index] - ys[index - 1])
    return ys[-1]


class Bench:
    """Measures a card on a clock of its own."""

    def __init__(self, card: Card, noise: Noise, seed: int) -> None:
        self.card, self.noise, self.clock_s = card, noise, 1000.0
        self._random = random.Random(seed)
        self._last = 0.0

    def stay(self, stay: Stay, sweep: Sweep) -> Point:
        """Until the sweep has enough, or the time is up."""
        self.clock_s += SETTLE_S
        started, blocks = self.clock_s, Blocks(BLOCK_S)
        while True:
            blocks.put(Block(1.0, self._second(stay.power_limit_w)))
            self.clock_s += 1.0
            point = self._point(stay.power_limit_w, started, blocks)
            if point.seconds >= stay.at_most_s or sweep.settled(point):
                return point

    def _second(self, limit_w: float) -> float:
        """Tokens that came in it."""
        alike = self.noise.alike
        self._last = alike * self._last + (1.0 - alike**2) ** 0.5 * self._random.gauss(0.0, 1.0)
        drift = 1.0 - self.noise.drift * (self.clock_s - 1000.0) / DRIFT_S
        return self.card.speed(limit_w) * drift * (1.0 + self.noise.scatter * self._last)

    def _point(self, limit_w: float, started: float, blocks: Blocks) -> Point:
        rate = blocks.rate or Rate(tps=0.0)
        power = self.card.power_w(limit_w)
        return Point(
            power_limit_w=limit_w,
            power_w=power,
            decode=rate if self.card.phase == "decode" else None,
            prefill=rate if self.card.phase == "prefill" else None,
            joules_per_token=power / rate.tps,
            streams=float(self.card.batch),
            started=started,
            seconds=self.clock_s - started,
            samples=round(self.clock_s - started),
        )


class Swept(Struct, frozen=True):
    """One sweep that was made."""

    choice: Choice
    points: tuple[Point, ...]
    minutes: float


def swept(card: Card, noise: Noise, seed: int, keep: float = 0.97, measure_s: float = 60.0) -> Swept:
    sweep = Sweep(card.limits_w[0], card.limits_w[-1], keep=keep, measure_s=measure_s, phases=(card.phase,))
    bench = Bench(card, noise, seed)
    while (stay := sweep.next()) is not None:
        sweep.add(bench.stay(stay, sweep))
    return Swept(choose(sweep.points, keep, card.phase), tuple(sweep.points), (bench.clock_s - 1000.0) / 60.0)


def wrong(card: Card, choice: Choice, keep: float = 0.97) -> bool:
    """Whether the chosen limit truly keeps a point less than was asked for."""
    return choice.chosen is not None and card.kept(choice.chosen.power_limit_w) < keep - 0.01


def misses(card: Card, kept_at: Iterator[tuple[float, float]]) -> list[float]:
    """Points that a curve is off at the published limits from 60 % of the draw up to it; above, none binds."""
    curve, least, most = list(kept_at), 0.6 * max(card.powers_w), 0.99 * max(card.powers_w)
    xs, ys = [limit for limit, _ in curve][::-1], [kept for _, kept in curve][::-1]
    return [100.0 * abs(_line(each, xs, ys) - card.kept(each)) for each in card.limits_w if least <= each <= most]


def before(card: Card, top_w: float | None) -> tuple[list[float], float | None]:
    """What the predicted curve is off, and its knee; `top_w` where the draw at the highest limit is known."""
    phase: Phase = "batch" if card.batch > 1 else card.phase
    curve = predicted(card.device(), card.limits_w[-1], card.limits_w[0], phase=phase, measured_w=top_w)
    return misses(card, ((guess.power_limit_w, guess.kept) for guess in curve)), answer_at(curve, 0.97)


def after(card: Card, made: Swept) -> list[float]:
    """What the curve is off once it went through what was measured."""
    phase: Phase = "batch" if card.batch > 1 else card.phase
    found = refitted(card.device(), card.limits_w[-1], card.limits_w[0], made.choice.steps, phase)
    return misses(card, ((guess.power_limit_w, guess.kept) for guess in found.curve)) if found else []


def table(noise: Noise, seeds: int, keep: float, measure_s: float) -> None:
    print(f"\nnoise {noise}, stays of {measure_s:.0f} s at most")
    print(
        f"{'':36}{'knee':>6}{'chosen':>8}{'lowest':>8}{'highest':>9}{'within':>8}{'wrong':>7}{'none':>6}{'stays':>7}{'minutes':>9}"
    )
    for card in cards():
        made = [swept(card, noise, seed, keep, measure_s) for seed in range(seeds)]
        limits = [each.choice.chosen.power_limit_w for each in made if each.choice.chosen is not None]
        knee = card.knee_w(keep)
        within = sum(abs(limit - knee) <= card.step_w for limit in limits) / seeds
        shown = (
            f"{statistics.median(limits):8.0f}{min(limits):8.0f}{max(limits):9.0f}"
            if limits
            else f"{'-':>8}{'-':>8}{'-':>9}"
        )
        bad = sum(wrong(card, each.choice, keep) for each in made) / seeds
        print(
            f"{card.name:36}{knee:6.0f}{shown}{within:8.0%}{bad:7.1%}{1 - len(limits) / seeds:6.0%}"
            f"{statistics.median(len(each.points) for each in made):7.0f}"
            f"{statistics.median(each.minutes for each in made):9.1f}"
        )


def curves(seeds: int, keep: float) -> None:
    print("\nmedian points that the curve is off at limits from 60 % of the draw up to it, and the knee it says")
    print(f"{'':36}{'knee':>6}{'predicted':>11}{'unmeasured':>12}{'top known':>11}{'after a sweep':>15}")
    for card in cards():
        blind, _ = before(card, None)
        known, says = before(card, card.powers_w[-1])
        fitted = [each for seed in range(seeds) for each in after(card, swept(card, Noise(0.01), seed, keep))]
        print(
            f"{card.name:36}{card.knee_w(keep):6.0f}{says or 0:11.0f}{statistics.median(blind):12.2f}"
            f"{statistics.median(known):11.2f}{statistics.median(fitted):15.2f}"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--keep", type=float, default=0.97)
    asked = options.parse_args()
    for noise, measure_s in (
        (Noise(0.005), 60.0),
        (Noise(0.01), 60.0),
        (Noise(0.01, alike=0.6), 60.0),
        (Noise(0.03), 60.0),
        (Noise(0.03), 10.0),
        (Noise(0.03, alike=0.6), 10.0),
    ):
        table(noise, asked.seeds, asked.keep, measure_s)
    curves(asked.seeds // 4 + 1, asked.keep)


if __name__ == "__main__":
    main()
