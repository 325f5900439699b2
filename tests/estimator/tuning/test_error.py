"""Errors of means and ratios, by hand and by the tables of Student's t."""

import math

import pytest
from llmtop.estimator.tuning.error import Estimate, mean, of_rate, pooled, quantile, ratio
from llmtop.estimator.tuning.point import Rate


@pytest.mark.parametrize(
    ("freedom", "tabled"), [(1, 6.314), (2, 2.920), (5, 2.015), (9, 1.833), (12, 1.782), (20, 1.725), (60, 1.671)]
)
def test_the_quantile_is_that_of_the_tables(freedom: float, tabled: float) -> None:
    assert quantile(freedom) == pytest.approx(tabled, abs=0.002)


def test_the_quantile_between_whole_numbers_and_at_the_ends() -> None:
    assert 2.920 < quantile(1.5) < 6.314
    assert quantile(math.inf) == pytest.approx(1.645, abs=0.001)
    assert quantile(0.5) == math.inf


def test_a_ratio_has_both_errors() -> None:
    """3 of 100 and 4 of 100 are 5 of 100; twice 9 degrees with unequal shares make 5^4 / (3^4 + 4^4) x 9."""
    found = ratio(Estimate(100.0, 3.0, 9.0), Estimate(100.0, 4.0, 9.0))
    assert found.value == 1.0
    assert found.error == pytest.approx(0.05)
    assert found.freedom == pytest.approx(9.0 * 625.0 / (81.0 + 256.0))
    assert found.margin == pytest.approx(0.05 * quantile(found.freedom))


def test_a_mean_of_two() -> None:
    found = mean([Estimate(10.0, 3.0), Estimate(20.0, 4.0)], [0.5, 0.5])
    assert found.value == 15.0
    assert found.error == pytest.approx(2.5)


def test_the_surer_counts_more() -> None:
    """Errors of 1 and 2 weigh 4 to 1."""
    found = pooled([Estimate(10.0, 1.0), Estimate(15.0, 2.0)])
    assert found.value == pytest.approx(11.0)
    assert found.error == pytest.approx(math.sqrt(0.8))


def test_what_has_no_error_counts_only_among_its_own() -> None:
    assert pooled([Estimate(10.0, 1.0), Estimate(99.0)]).value == 10.0
    alone = pooled([Estimate(10.0), Estimate(20.0)])
    assert (alone.value, alone.error, alone.margin) == (15.0, None, None)
    assert ratio(Estimate(10.0, 1.0), Estimate(10.0)).error is None


def test_few_blocks_say_nothing_and_no_rate_is_exact() -> None:
    assert of_rate(Rate(tps=10.0, error_tps=0.1, blocks=1)).error is None
    exact = of_rate(Rate(tps=10.0, error_tps=0.0, blocks=5))
    assert exact.error is not None and 0.0 < exact.error < 0.01
    assert exact.freedom == 4.0


def test_an_error_told_from_a_few_comparisons_has_their_freedom() -> None:
    found = Estimate(10.0, 1.0, 30.0).widened(2.0, 4)
    assert (found.error, found.freedom) == (2.0, 4)
    assert Estimate(10.0, 1.0, 30.0).widened(1.0, 4) == Estimate(10.0, 1.0, 30.0)
