"""From what an engine tells to a rate, and from what is no rate to none."""

import pytest
from llmtop.estimator.flow import Flow, Told


def flowing(*told: Told) -> Flow:
    """A reading a second."""
    flow = Flow(2.0)
    for time, each in enumerate(told):
        flow.add(float(time), each, gap=15.0)
    return flow


def test_a_count_that_moves_with_each_step_is_a_rate() -> None:
    assert flowing(*(Told(10.0 * time, liveness="step") for time in range(4))).per_second == pytest.approx(10.0)


def test_a_count_that_moves_at_the_end_of_requests_is_none() -> None:
    """A jump of 500 tokens when an answer ends is no 500 tokens/s."""
    told = [Told(0.0, liveness="request")] * 3 + [Told(500.0, liveness="request")] * 3
    assert flowing(*told).per_second is None


def test_a_rate_that_the_engine_tells_counts_only_without_a_count() -> None:
    assert flowing(Told(rate=30.0, liveness="interval")).per_second == 30.0
    both = [Told(10.0 * time, 99.0, "step") for time in range(4)]
    assert flowing(*both).per_second == pytest.approx(10.0)


def test_a_rate_beside_a_count_of_requests_is_taken() -> None:
    assert flowing(Told(0.0, 42.0, "request"), Told(500.0, 42.0, "request")).per_second == 42.0


def test_counts_at_intervals_are_read_as_stairs() -> None:
    told = [Told(100.0 * (time // 10), liveness="interval") for time in range(31)]
    assert flowing(*told).per_second == pytest.approx(10.0)


def test_at_rest_a_count_at_intervals_is_zero_at_once() -> None:
    told = [Told(100.0 * (time // 10), liveness="interval") for time in range(31)]
    assert flowing(*told, Told(300.0, liveness="interval", idle=True)).per_second == 0.0
