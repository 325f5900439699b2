"""Rates of counts that are published at intervals of their own."""

import pytest
from llmtop.estimator.staircase import PATIENCE_S, Staircase


def published(rate: float, *, every: float, until: float, read: float = 1.0) -> Staircase:
    """A count that grows evenly, is published every `every` seconds and read every `read` seconds."""
    stairs = Staircase(2.0)
    time = 0.0
    while time <= until:
        stairs.add(time, rate * every * (time // every))
        time += read
    return stairs


@pytest.mark.parametrize("every", [1.0, 5.0, 10.0])
def test_the_rate_is_that_between_two_changes(every: float) -> None:
    assert published(50.0, every=every, until=4 * every + 0.5).per_second == pytest.approx(50.0)


def test_nothing_is_told_before_the_second_change() -> None:
    assert published(50.0, every=10.0, until=15.0).per_second is None
    assert published(50.0, every=10.0, until=20.0).per_second == pytest.approx(50.0)


def test_a_count_that_stands_still_for_longer_than_its_intervals_has_stopped() -> None:
    stairs = published(50.0, every=10.0, until=30.0)
    for time in range(31, 55):
        stairs.add(time, 1500.0)
    assert stairs.per_second == pytest.approx(50.0)
    stairs.add(56, 1500.0)
    assert stairs.per_second == 0.0


def test_a_count_that_never_moved_is_at_rest_after_a_while() -> None:
    stairs = Staircase(2.0)
    for time in range(int(PATIENCE_S) + 1):
        stairs.add(time, 7.0)
    assert stairs.per_second is None
    stairs.add(PATIENCE_S + 1, 7.0)
    assert stairs.per_second == 0.0


def test_a_restart_and_a_hole_begin_anew() -> None:
    stairs = published(50.0, every=10.0, until=30.0)
    stairs.add(31.0, 3.0)
    assert stairs.per_second is None
    stairs = published(50.0, every=10.0, until=30.0)
    stairs.add(31.0, None)
    stairs.add(32.0, 1500.0)
    assert stairs.per_second is None
