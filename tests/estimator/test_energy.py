"""Joules of one source, by hand arithmetic."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.energy import Energy


def fed(readings: Sequence[tuple[float, float | None, float | None]], period: float = 1.0) -> Energy:
    """Readings of moment, watts and counted joules."""
    energy = Energy()
    for time, watts, joules in readings:
        energy.add(time, period, watts, joules)
    return energy


def test_a_counter_is_taken_at_its_word_whatever_the_watts_say() -> None:
    energy = fed([(10.0, 100.0, 5000.0), (11.0, 900.0, 5250.0), (12.0, 900.0, 5400.0)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (400.0, 2.0, 0.0)
    assert energy.method == "counted"


def test_sampled_watts_are_summed_up_between_their_readings() -> None:
    energy = fed([(10.0, 100.0, None), (11.0, 200.0, None), (13.0, 300.0, None)])
    assert energy.joules == 150.0 + 2 * 250.0
    assert (energy.seconds, energy.method) == (3.0, "sampled")


def test_a_counter_that_falls_leaves_a_gap_and_goes_on_from_there() -> None:
    energy = fed([(0.0, 50.0, 900.0), (1.0, 50.0, 1000.0), (2.0, 50.0, 30.0), (3.0, 50.0, 80.0)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (150.0, 2.0, 1.0)


def test_a_counter_bridges_a_hole() -> None:
    energy = fed([(0.0, 100.0, 0.0), (1.0, 100.0, 100.0), (61.0, 100.0, 5100.0)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (5100.0, 61.0, 0.0)


def test_sampled_watts_do_not() -> None:
    energy = fed([(0.0, 100.0, None), (1.0, 100.0, None), (61.0, 100.0, None), (62.0, 100.0, None)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (200.0, 2.0, 60.0)


@pytest.mark.parametrize(("seconds", "joules"), [(3.5, 350.0), (3.6, 0.0)])
def test_three_periods_and_a_slack_are_no_hole_yet(seconds: float, joules: float) -> None:
    assert fed([(0.0, 100.0, None), (seconds, 100.0, None)]).joules == joules


def test_a_slow_source_has_long_periods() -> None:
    assert fed([(0.0, 100.0, None), (30.0, 100.0, None)], period=10.0).joules == 3000.0


def test_a_reading_that_tells_nothing_is_settled_by_the_next() -> None:
    energy = fed([(0.0, 100.0, 0.0), (1.0, None, None), (2.0, None, None)])
    assert (energy.time, energy.joules, energy.gap_s) == (0.0, 0.0, 0.0)
    assert energy.open_s(3.0) == 0.0
    assert energy.open_s(30.0) == 30.0
    energy.add(3.0, 1.0, 100.0, 330.0)
    assert (energy.joules, energy.seconds, energy.gap_s) == (330.0, 3.0, 0.0)


def test_a_counter_that_comes_and_goes_counts_nothing_twice() -> None:
    energy = fed([(0.0, 100.0, 0.0), (1.0, 100.0, 100.0), (2.0, 100.0, None), (3.0, 100.0, 300.0), (4.0, 100.0, 400.0)])
    assert energy.joules == 400.0
    assert energy.method == "mixed"


def test_a_counter_between_two_steps_is_waited_for() -> None:
    energy = fed([(0.0, 100.0, 50.0), (1.0, 100.0, 50.0), (2.0, 100.0, 250.0)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (200.0, 2.0, 0.0)


def test_a_counter_that_stands_still_while_watts_are_drawn_is_none() -> None:
    energy = fed([(float(second), 100.0, 0.0) for second in range(25)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (2000.0, 20.0, 4.0)
    assert energy.method == "sampled"
    asleep = fed([(float(second), 0.0, 0.0) for second in range(25)])
    assert (asleep.joules, asleep.seconds, asleep.method) == (0.0, 24.0, "counted")


def test_nonsense_is_as_good_as_nothing() -> None:
    nan, inf = float("nan"), float("inf")
    energy = fed([(0.0, nan, -1.0), (1.0, -5.0, inf), (2.0, 100.0, 10.0), (3.0, 100.0, 1e12), (2.5, 100.0, 1e12)])
    assert (energy.joules, energy.seconds, energy.gap_s) == (0.0, 0.0, 1.0)
    assert energy.method is None


@given(st.lists(st.tuples(st.floats(0.01, 100.0), st.none() | st.floats(0.0, 1e4), st.none() | st.floats(0.0, 1e6))))
def test_every_second_is_covered_or_a_gap_or_open(steps: list[tuple[float, float | None, float | None]]) -> None:
    energy, now, first = Energy(), 0.0, None
    for step, watts, joules in steps:
        now += step
        energy.add(now, 1.0, watts, joules)
        if first is None and energy.time is not None:
            first = now
    if first is not None and energy.time is not None:
        assert energy.seconds + energy.gap_s == pytest.approx(energy.time - first)
    assert energy.joules >= 0.0
