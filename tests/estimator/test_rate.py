"""Counts to rates: never negative, never across a reset, a hole or a clock that jumps."""

from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.rate import Mean, Rate

STEPS = st.lists(
    st.tuples(st.floats(0.01, 5.0), st.floats(0.0, 1e4)),
    min_size=2,
    max_size=60,
)


@given(STEPS)
def test_a_steady_history_gives_the_mean_over_the_window(steps: list[tuple[float, float]]) -> None:
    rate = Rate(window=2.0)
    time = count = 0.0
    history: list[tuple[float, float]] = []
    for elapsed, made in steps:
        time, count = time + elapsed, count + made
        history.append((time, count))
        rate.add(time, count)
    start = max((moment for moment in history[:-1] if moment[0] <= time - 2.0), default=history[0])
    expected = (count - start[1]) / (time - start[0])
    assert rate.per_second is not None
    assert abs(rate.per_second - expected) <= 1e-6 * max(expected, 1.0)


@given(st.lists(st.tuples(st.floats(-3.0, 40.0), st.none() | st.floats(0.0, 1e6)), max_size=80))
def test_whatever_is_read_a_rate_is_never_negative_nor_above_the_fastest_step(
    readings: list[tuple[float, float | None]],
) -> None:
    rate = Rate(window=2.0)
    time = 0.0
    fastest = 0.0
    before: tuple[float, float] | None = None
    for elapsed, value in readings:
        time += elapsed
        if before and value is not None and time > before[0] and value >= before[1]:
            fastest = max(fastest, (value - before[1]) / (time - before[0]))
        if value is None:
            before = None
        elif before is None or time != before[0]:
            before = (time, value)
        rate.add(time, value)
        if rate.per_second is not None:
            assert 0.0 <= rate.per_second <= fastest * (1 + 1e-9)


def test_a_restart_is_no_rate_and_then_counts_anew() -> None:
    rate = Rate(window=2.0)
    for time, count in ((0.0, 1000.0), (1.0, 1010.0), (2.0, 3.0)):
        rate.add(time, count)
    assert rate.per_second is None
    rate.add(3.0, 13.0)
    assert rate.per_second == 10.0


def test_a_hole_and_a_long_silence_end_a_rate() -> None:
    rate = Rate(window=2.0, gap=5.0)
    rate.add(0.0, 0.0)
    rate.add(1.0, None)
    rate.add(2.0, 100.0)
    assert rate.per_second is None
    rate.add(8.0, 200.0)
    assert rate.per_second is None


def test_a_clock_that_goes_back_starts_over() -> None:
    rate = Rate(window=2.0)
    rate.add(100.0, 5.0)
    rate.add(50.0, 10.0)
    assert rate.per_second is None
    rate.add(51.0, 20.0)
    assert rate.per_second == 10.0


def test_a_mean_is_sum_over_count_and_unknown_without_observations() -> None:
    mean = Mean(window=10.0)
    mean.add(0.0, 1.0, 2.0)
    mean.add(1.0, 1.0, 2.0)
    assert mean.value is None
    mean.add(2.0, 2.5, 5.0)
    assert mean.value == 0.5
