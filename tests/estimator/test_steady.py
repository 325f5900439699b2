"""Stretches of even decoding: when one counts, and when it does not."""

import pytest
from llmtop.estimator.steady import AGAIN_S, LEAST_S, Steady


def follow(steady: Steady, start: int, seconds: int, *, rate: float = 50.0, streams: float = 1.0) -> None:
    for second in range(start, start + seconds + 1):
        steady.add(float(second), second * rate, streams, disturbed=False)


def test_half_a_minute_of_even_decoding_has_a_rate() -> None:
    steady = Steady()
    follow(steady, 0, int(LEAST_S) - 1)
    assert steady.take() is None
    follow(steady, int(LEAST_S), 0)
    assert steady.take() == pytest.approx(50.0)


def test_it_counts_once_in_ten_minutes() -> None:
    steady = Steady()
    follow(steady, 0, 60)
    assert steady.take() is not None
    follow(steady, 61, 60)
    assert steady.take() is None
    follow(steady, 122, int(AGAIN_S))
    assert steady.take() == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("tokens", "streams", "disturbed"),
    [(None, 1.0, False), (1000.0, 2.0, False), (1000.0, 1.0, True), (3.0, 1.0, False)],
)
def test_any_change_begins_it_anew(tokens: float | None, streams: float, disturbed: bool) -> None:
    """Silence, another stream, a prompt in between, a restart of the count."""
    steady = Steady()
    follow(steady, 0, 20)
    steady.add(20.5, tokens, streams, disturbed=disturbed)
    follow(steady, 21, 20)
    assert steady.take() is None


def test_an_idle_engine_has_no_run() -> None:
    steady = Steady()
    for second in range(100):
        steady.add(float(second), 500.0, 0.0, disturbed=False)
    assert steady.take() is None
