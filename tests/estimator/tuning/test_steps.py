"""Stays put together, drift taken out."""

import pytest
from llmtop.estimator.tuning.stays import merged
from llmtop.estimator.tuning.steps import steps
from msgspec.structs import replace

from .points import stay


def test_the_highest_limit_is_what_others_are_compared_with_at_their_own_time() -> None:
    """The highest falls from 100 to 90 tokens/s in 100 s; 92.15 in the middle of them are 97 %, not 92 or 102."""
    found = steps([stay(350, 100.0, 0), stay(300, 92.15, 50), stay(350, 90.0, 100)], "decode")
    top, lower = found.steps
    assert (top.kept, top.kept_error, top.stays) == (1.0, 0.0, 2)
    assert lower.kept == pytest.approx(0.97)
    assert found.moved == pytest.approx(100.0 / 90.0 - 1.0)


def test_the_error_is_that_of_the_limit_and_of_the_highest_around_it() -> None:
    """1 % here and 1 % at each of two stays that count half: sqrt(1 + 1/4 + 1/4)."""
    points = [stay(350, 100.0, 0, error=0.01), stay(300, 100.0, 50, error=0.01), stay(350, 100.0, 100, error=0.01)]
    lower = steps(points, "decode").steps[1]
    assert lower.kept_error == pytest.approx(0.01 * 1.5**0.5)
    assert lower.kept_low is not None and lower.kept_high is not None
    assert lower.kept - lower.kept_low == pytest.approx(lower.kept_high - lower.kept)
    assert lower.kept_low < 1.0 - 1.645 * 0.01 * 1.5**0.5


def test_stays_at_one_limit_are_one_step_with_a_smaller_error() -> None:
    once = [stay(350, 100.0, 0), stay(300, 96.0, 50), stay(350, 100.0, 100)]
    twice = [*once, stay(300, 96.0, 150), stay(350, 100.0, 200)]
    one, two = steps(once, "decode").steps[1], steps(twice, "decode").steps[1]
    assert two.stays == 2 and two.kept == pytest.approx(0.96)
    assert (two.kept_error or 1.0) == pytest.approx((one.kept_error or 0.0) / 2**0.5, rel=0.01)


def test_stays_that_differ_more_than_their_errors_tell_widen_all_errors() -> None:
    """The highest jumps by 2 % to and fro though each stay claims 0.1 %."""
    jumps = [stay(350, 100.0 + (index % 2) * 2.0, 100.0 * index) for index in range(6)]
    found = steps([*jumps, stay(300, 99.5, 250)], "decode")
    assert found.steps[1].kept == pytest.approx(0.985, abs=0.001)
    assert found.restless > 10.0
    assert found.steps[1].verdict(0.97) == "unsure"
    calm = steps([*(stay(350, 100.0, 100.0 * index) for index in range(6)), stay(300, 98.5, 250)], "decode")
    assert calm.restless == 1.0
    assert calm.steps[1].verdict(0.97) == "keeps"


def test_the_curve_only_falls() -> None:
    """A limit that seems faster than a higher one is put together with it; equal errors: the mean of both."""
    points = [stay(350, 100.0, 0), stay(300, 96.0, 10), stay(250, 98.0, 20), stay(200, 90.0, 30)]
    assert [round(step.falling, 3) for step in steps(points, "decode").steps] == [1.0, 0.97, 0.97, 0.9]


def test_a_phase_that_nobody_measured() -> None:
    with pytest.raises(ValueError, match="no speed of prefill was measured"):
        steps([stay(350, 100.0, 0)], "prefill")


def test_a_limit_binds_when_it_lowers_the_draw() -> None:
    points = [stay(350, 100.0, 0, power_w=262.0), stay(300, 100.0, 10, power_w=261.0), stay(250, 99.0, 20)]
    assert [step.binds for step in steps(points, "decode").steps] == [False, False, True]


def test_merged_counts_by_seconds_and_leaves_the_unknown_unknown() -> None:
    longer = replace(stay(300, 92.0, 60, power_w=284.0, throttles=("too hot",)), seconds=60.0)
    found = merged([stay(300, 90.0, 0, power_w=280.0), longer])
    assert found.power_w == 283.0 and found.seconds == 80.0 and found.samples == 80
    assert found.decode is not None and found.decode.blocks == 80
    assert found.decode.tps == pytest.approx(91.0, abs=0.05)
    assert found.sm_clock_mhz is None and found.prefill is None
    assert found.other_throttles == ("too hot",)
