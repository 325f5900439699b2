"""The curve over power limits before anything is measured, and drawn anew through what was."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ...probes.sample import Device
from ..power import COLLAPSE, HIGHEST_SHARE, LIMITED_FROM, LOWEST_SHARE, UNSURE, Phase, PowerCap, law
from .grid import finest, rounded
from .steps import Step

FEWEST = 3
"""Limits below the highest, and not far below the draw, that a core share is fitted on."""
LIKELY = 0.02
"""Error of the law itself, as a share: what no core share can mend."""
REFIT_UNSURE = UNSURE / 4.0
"""How far off a fitted core share may be."""
TRIED = 90
"""Core shares that are tried."""


class Guess(Struct, frozen=True, kw_only=True):
    """What is expected at one limit."""

    power_limit_w: float
    kept: float
    """Share of the speed at the highest limit."""
    low: float
    high: float
    power_w: float
    """Drawn then."""


class Refit(Struct, frozen=True, kw_only=True):
    """The curve of the user's own card and model."""

    core_share: float
    draw_w: float
    """At full clock, by the law or by what was measured."""
    error: float
    """Root of the mean square of what it is off at the limits measured."""
    curve: tuple[Guess, ...]


def predicted(
    device: Device,
    highest_w: float,
    lowest_w: float,
    *,
    phase: Phase,
    core_share: float | None = None,
    measured_w: float | None = None,
) -> tuple[Guess, ...]:
    """The curve from the highest limit down, on multiples of 5 W; empty where no law is known for the device.

    Args:
        device: it names its law; its stock limit stands for the TDP.
        highest_w: the limit whose speed counts as 1.
        lowest_w: the lowest to tell of.
        core_share: share of a step that goes with the core clock; where None, what is typical of the phase.
        measured_w: what the device was measured to draw at the highest limit in this phase.
        phase: what it does.
    """
    found = law(device)
    stock = device.power_limit_default_w or device.power_limit_max_w
    if found is None or not stock:
        return ()
    share = found.shares[phase] if core_share is None else core_share
    unsure = UNSURE if device.vendor == "NVIDIA" and device.memory_type != "HBM" else 2.0 * UNSURE
    card = _Card(found, stock, highest_w, lowest_w, measured_w)
    return tuple(card.curve(share, unsure))


def refitted(
    device: Device, highest_w: float, lowest_w: float, measured: Sequence[Step], phase: Phase, *, devices: int = 1
) -> Refit | None:
    """The core share that suits the limits measured best, and its curve; None where they are too few or have no law.

    Limits far below the draw do not count: there the speed collapses, and the law is not made for it.

    Args:
        device: it names its law; its stock limit stands for the TDP.
        highest_w: the limit whose speed counts as 1.
        lowest_w: the lowest to tell of.
        measured: the limits from the highest down, as a `Choice` has them.
        phase: what it does.
        devices: that draw what was measured together, each about the same.
    """
    found = law(device)
    stock = device.power_limit_default_w or device.power_limit_max_w
    if found is None or not stock or not measured:
        return None
    top_w = measured[0].point.power_w
    top_w = None if top_w is None else top_w / devices
    least_w = COLLAPSE * min(top_w or highest_w, highest_w)
    used = [step for step in measured[1:] if _reached(step, devices) >= least_w]
    if len(used) < FEWEST:
        return None
    typical, card = found.shares[phase], _Card(found, stock, highest_w, lowest_w, top_w)

    def misses(share: float) -> Iterator[tuple[float, float]]:
        """What it is off at each limit, and how much that counts."""
        for step in used:
            expected = card.kept(_reached(step, devices), share)
            yield expected - step.kept, 1.0 / ((step.kept_error or 0.0) ** 2 + LIKELY**2)

    def cost(share: float) -> float:
        pull = ((share - typical) / (2.0 * UNSURE)) ** 2
        return sum(weight * miss * miss for miss, weight in misses(share)) + pull

    shares = [LOWEST_SHARE + (HIGHEST_SHARE - LOWEST_SHARE) * index / TRIED for index in range(TRIED + 1)]
    best = min(shares, key=cost)
    off = [miss * miss for miss, _ in misses(best)]
    return Refit(
        core_share=best,
        draw_w=card.draw_w(best),
        error=(sum(off) / len(off)) ** 0.5,
        curve=tuple(card.curve(best, REFIT_UNSURE)),
    )


def answer_at(curve: Sequence[Guess], keep: float) -> float | None:
    """The lowest limit that is expected to keep so much; None without a curve."""
    enough: float | None = None
    for guess in sorted(curve, key=lambda each: -each.power_limit_w):
        if guess.kept < keep:
            break
        enough = guess.power_limit_w
    return enough


class _Card(Struct, frozen=True):
    """A law with what is known of one device."""

    law: PowerCap
    stock_w: float
    highest_w: float
    lowest_w: float
    measured_w: float | None

    def draw_w(self, share: float) -> float:
        """At full clock. What was measured is the truth where the limit did not hold it; else it is the least."""
        demand = self.law.demand(share) * self.stock_w
        if self.measured_w is None:
            return demand
        return self.measured_w if self.measured_w < LIMITED_FROM * self.highest_w else max(demand, self.measured_w)

    def kept(self, limit_w: float, share: float) -> float:
        return self.law.retention(limit_w, self.draw_w(share), share, self.highest_w)

    def curve(self, share: float, unsure: float) -> Iterator[Guess]:
        for limit in _limits(self.lowest_w, self.highest_w):
            free = self.draw_w(share)
            spread = unsure * (2.0 if limit < COLLAPSE * min(free, self.highest_w) else 1.0)
            kept = [self.kept(limit, each) for each in (share, share - spread, share + spread)]
            yield Guess(power_limit_w=limit, kept=kept[0], low=min(kept), high=max(kept), power_w=min(limit, free))


def _limits(lowest_w: float, highest_w: float) -> Iterator[float]:
    fine = finest(lowest_w, highest_w)
    yield highest_w
    at = rounded(highest_w, fine)
    while at > lowest_w:
        if at < highest_w:
            yield at
        at -= fine
    if lowest_w < highest_w:
        yield lowest_w


def _reached(step: Step, devices: int) -> float:
    """Watts that count as its limit: what it drew, where that is less; cards keep a little below their limits."""
    drawn = step.point.power_w
    return step.power_limit_w if drawn is None else min(drawn / devices, step.power_limit_w)
