"""The error of a mean, against series whose error is known."""

import math
import random
import statistics

import pytest
from llmtop.estimator.tuning.meter_blocks import MOST_BLOCKS, Block, Blocks, standard_error


def series(seed: int, count: int, kept: float) -> list[float]:
    """Speeds around 50 with a standard deviation of 5; each keeps that share of the one before."""
    chance = random.Random(seed)
    now, found = chance.gauss(0.0, 1.0), list[float]()
    for _ in range(count):
        now = kept * now + math.sqrt(1 - kept * kept) * chance.gauss(0.0, 1.0)
        found.append(50.0 + 5.0 * now)
    return found


def blocks(speeds: list[float], seconds: float = 2.0) -> Blocks:
    found = Blocks()
    for speed in speeds:
        found.put(Block(seconds, speed * seconds, joules=600.0))
    return found


def test_by_hand() -> None:
    """40, 50 and 60 tokens/s in 2 s each: 10 / sqrt(3); and a count in whole tokens, read twice in 6 s."""
    rate = blocks([40.0, 50.0, 60.0]).rate
    assert rate is not None and rate.tps == pytest.approx(50.0) and rate.blocks == 3
    assert rate.error_tps == pytest.approx(math.sqrt(100 / 3 + 1 / 6 / 36))


def test_two_say_nothing_of_the_error() -> None:
    rate = blocks([40.0, 60.0]).rate
    assert rate is not None and (rate.tps, rate.error_tps, rate.blocks) == (50.0, None, 2)


def test_nothing() -> None:
    assert (Blocks().rate, Blocks().power_w, Blocks().joules_per_token, Blocks().idle_share) == (None,) * 4


def test_energy_of_the_same_seconds() -> None:
    found = blocks([40.0, 60.0])
    found.put(Block(2.0, 1000.0))  # nobody knows what it drew
    assert found.power_w == 300.0
    assert found.joules_per_token == pytest.approx(1200.0 / 200.0)


def test_unevenness_by_hand() -> None:
    assert blocks([40.0, 50.0, 60.0]).unevenness == pytest.approx(0.2)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.8])
def test_the_error_is_honest(kept: float) -> None:
    """Of 300 means of 60 blocks, how far they lie from 50 is what they say of themselves, within a quarter.

    Alike neighbours make the true error larger by sqrt((1 + kept) / (1 - kept)) than blocks by themselves tell.
    """
    rates = [blocks(series(seed, 60, kept)).rate for seed in range(300)]
    off = math.sqrt(statistics.fmean([(rate.tps - 50.0) ** 2 for rate in rates if rate]))
    told = statistics.fmean([rate.error_tps for rate in rates if rate and rate.error_tps])
    assert off == pytest.approx(5.0 / math.sqrt(60) * math.sqrt((1 + kept) / (1 - kept)), rel=0.15)
    assert told == pytest.approx(off, rel=0.25)


def test_alike_blocks_are_merged() -> None:
    speeds = [40.0] * 16 + [60.0] * 16
    error, count = standard_error([Block(1.0, speed) for speed in speeds])
    plain = statistics.stdev(speeds) / math.sqrt(32)
    assert count < 8 and error is not None and error > 2 * plain


def test_many_become_fewer_and_say_the_same() -> None:
    speeds = series(1, 4000, 0.0)
    rate = blocks(speeds).rate
    assert rate is not None and rate.blocks < MOST_BLOCKS
    assert rate.tps == pytest.approx(statistics.fmean(speeds))
    assert rate.error_tps == pytest.approx(5.0 / math.sqrt(4000), rel=0.3)


def test_short_pieces_fill_a_block_together() -> None:
    found = Blocks(2.0)
    for _ in range(9):
        found.put(Block(0.5, 100.0))
    rate = found.rate
    assert rate is not None and (rate.tps, rate.blocks) == (200.0, 2)
