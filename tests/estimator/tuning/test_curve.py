"""The curve before anything is measured, and through what was."""

import statistics
from itertools import pairwise

import pytest
from llmtop.estimator.power import kept, laws
from llmtop.estimator.tuning.curve import Guess, answer_at, predicted, refitted
from llmtop.estimator.tuning.steps import Step, steps
from llmtop.probes.sample import Device
from sweep import Noise, after, before, cards, swept

from .points import stay

RTX_4090 = Device(
    id="nvidia0",
    name="RTX 4090",
    vendor="NVIDIA",
    kind="gpu",
    memory_type="GDDR",
    power_limit_default_w=450.0,
    power_limit_min_w=150.0,
    power_limit_max_w=600.0,
)
CORE_BOUND = "RTX 3090, Qwen3.6-27B, decode"
"""A gated-delta-net model whose decode kernels wait for the cores: no typical core share knows that."""


def _at(curve: tuple[Guess, ...], limit_w: float) -> Guess:
    return next(guess for guess in curve if guess.power_limit_w == limit_w)


def test_it_is_told_every_5_w_from_the_highest_down() -> None:
    curve = predicted(RTX_4090, 453.0, 152.0, phase="decode")
    limits = [guess.power_limit_w for guess in curve]
    assert limits[:3] == [453.0, 450.0, 445.0] and limits[-2:] == [155.0, 152.0]
    assert curve[0].kept == 1.0
    assert all(upper.kept >= lower.kept for upper, lower in pairwise(curve))
    assert all(guess.low <= guess.kept <= guess.high for guess in curve)


def test_it_is_that_of_the_law_at_the_stock_limit() -> None:
    curve = predicted(RTX_4090, 450.0, 200.0, phase="prefill")
    for limit in (400.0, 350.0, 300.0):
        told = kept(RTX_4090, limit, "prefill")
        assert told is not None
        assert _at(curve, limit).kept == pytest.approx(told.value)


def test_limits_count_against_what_it_draws_not_against_its_tdp() -> None:
    """A 4B model on an RTX 4090 draws 247 W (club-3090 issue 697): nothing is lost above that, and something below."""
    curve = predicted(RTX_4090, 450.0, 150.0, phase="decode", measured_w=247.0)
    assert _at(curve, 250.0).kept == 1.0 and _at(curve, 250.0).power_w == 247.0
    assert 0.9 < _at(curve, 220.0).kept < 1.0
    assert _at(curve, 220.0).power_w == 220.0
    assert _at(predicted(RTX_4090, 450.0, 150.0, phase="decode"), 250.0).kept < 0.95


def test_more_core_is_more_loss_and_far_below_the_draw_the_band_is_wide() -> None:
    mild, hard = (predicted(RTX_4090, 450.0, 150.0, phase="decode", core_share=share) for share in (0.2, 0.6))
    assert _at(mild, 300.0).kept > _at(hard, 300.0).kept
    deep, shallow = _at(mild, 170.0), _at(mild, 330.0)
    assert deep.high - deep.low > 2.0 * (shallow.high - shallow.low)


def test_no_law_no_curve() -> None:
    cpu = Device(id="cpu", name="CPU", vendor="AMD", kind="cpu", power_limit_default_w=105.0)
    unknown = Device(id="x", name="x", vendor="NVIDIA", kind="gpu", memory_type="GDDR")
    assert predicted(cpu, 105.0, 50.0, phase="decode") == ()
    assert predicted(unknown, 300.0, 100.0, phase="decode") == ()
    assert answer_at((), 0.97) is None
    assert refitted(cpu, 105.0, 50.0, _measured(0.4, (105, 95, 85, 75)), "decode") is None


def test_the_answer_is_the_lowest_limit_that_keeps_enough() -> None:
    curve = tuple(
        Guess(power_limit_w=limit, kept=share, low=share, high=share, power_w=limit)
        for limit, share in ((350.0, 1.0), (345.0, 0.99), (340.0, 0.97), (335.0, 0.96))
    )
    assert answer_at(curve, 0.97) == 340.0
    assert answer_at(curve, 0.5) == 335.0
    law = laws()["GDDR"]
    exact = law.limit_for(0.97, law.demand(0.3) * 450.0, 0.3, 450.0)
    found = answer_at(predicted(RTX_4090, 450.0, 150.0, phase="decode", core_share=0.3), 0.97)
    assert found is not None and 0.0 <= found - exact < 5.0


def _measured(share: float, limits: tuple[int, ...], devices: int = 1) -> tuple[Step, ...]:
    """What a card of the law's own making would show."""
    law = laws()["GDDR"]
    draw = law.demand(share) * 450.0
    points = [
        stay(limit, 100.0 * law.retention(limit, draw, share, 450.0), 10.0 * at, power_w=devices * min(limit, draw))
        for at, limit in enumerate(limits)
    ]
    return steps(points, "decode").steps


@pytest.mark.parametrize(("share", "within"), [(0.2, 0.11), (0.33, 0.02), (0.6, 0.05), (0.8, 0.06)])
@pytest.mark.parametrize("devices", [1, 2])
def test_the_core_share_of_a_card_is_found_again(share: float, within: float, devices: int) -> None:
    """A small one shows least: the loss is small then, and what is typical counts too."""
    found = refitted(
        RTX_4090, 450.0, 150.0, _measured(share, (450, 400, 350, 300, 280), devices), "decode", devices=devices
    )
    assert found is not None
    assert found.core_share == pytest.approx(share, abs=within)
    assert found.error < 0.004
    for step in _measured(share, (450, 380, 330)):
        assert _at(found.curve, step.power_limit_w).kept == pytest.approx(step.kept, abs=0.005)


def test_several_devices_count_as_one_that_draws_its_part() -> None:
    """Cards stay a little below their limits."""

    def told(devices: int) -> float:
        points = [stay(limit, limit**0.5, 0, power_w=devices * 0.93 * limit) for limit in (450, 400, 350, 300)]
        found = refitted(RTX_4090, 450.0, 150.0, steps(points, "decode").steps, "decode", devices=devices)
        assert found is not None
        return found.core_share

    assert told(2) == told(1)


def test_too_few_limits_and_limits_far_below_the_draw_say_nothing() -> None:
    assert refitted(RTX_4090, 450.0, 150.0, _measured(0.4, (450, 400, 350)), "decode") is None
    assert refitted(RTX_4090, 450.0, 150.0, _measured(0.4, (450, 400, 350, 170, 160)), "decode") is None
    assert refitted(RTX_4090, 450.0, 150.0, (), "decode") is None


def test_published_sweeps_are_predicted_within_two_points_from_the_draw_at_the_top() -> None:
    """With the typical core share, from 60 % of the draw up to it; the core-bound model is the one that is worse."""
    off = {card.name: before(card, card.powers_w[-1])[0] for card in cards()}
    assert len(off) == 6
    assert statistics.median(each for found in off.values() for each in found) < 1.5
    medians = {name: statistics.median(found) for name, found in off.items()}
    assert {name for name, median in medians.items() if median > 2.0} == {CORE_BOUND}
    assert 3.0 < medians[CORE_BOUND] < 4.0


def test_after_a_sweep_the_curve_is_that_of_the_card() -> None:
    """The core-bound model too."""
    for card in cards():
        found = after(card, swept(card, Noise(0.005), 1))
        assert statistics.median(found) < 1.25, card.name
        assert statistics.median(found) < statistics.median(before(card, card.powers_w[-1])[0]), card.name
