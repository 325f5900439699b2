"""The simulated box against the sweeps it is made of, and the meter on it."""

import math
import statistics

import pytest
from llmtop.estimator.tuning.meter import Meter

from .box import ENGINE, Box
from .curve import Curve, Noise, curve, curves


def test_all_sweeps_are_there() -> None:
    assert len(curves()) == 7
    assert sum(len(each.steps) for each in curves()) == 164


def test_published_rows_come_back() -> None:
    found = curve("4090 decode x1")
    assert (found.stock_limit_w, found.streams) == (450.0, 1)
    assert (found.at(350.0).tps, found.at(350.0).draw_w) == (51.36, 349.67)
    assert found.at(355.0).tps == pytest.approx((51.36 + 51.56) / 2)
    assert found.at(700.0).tps == 51.85
    assert found.at(115.0).tps == pytest.approx(41.47 / 2)
    assert found.binds(350.0) and not found.binds(450.0)
    assert found.knee(0.97, 450.0) == 310.0  # 50.46 of 51.96: 97.1 %


def test_noise_is_what_it_is_told_to_be() -> None:
    noise = Noise(3, sigma=0.05, memory_s=2.0)
    found = [noise.at(time) for time in range(20_000)]
    assert statistics.fmean(found) == pytest.approx(1.0, abs=0.003)
    assert statistics.stdev(found) == pytest.approx(0.05, rel=0.05)
    ahead = statistics.correlation(found[:-1], found[1:])
    assert ahead == pytest.approx(math.exp(-0.5), abs=0.03)


def test_drift() -> None:
    noise = Noise(1, drift_per_hour=-0.1)
    assert noise.at(0.0) == 1.0
    assert noise.at(1800.0) == pytest.approx(0.95)


@pytest.mark.parametrize("each", curves(), ids=lambda each: each.name)
def test_the_meter_finds_what_was_published(each: Curve) -> None:
    box = Box(each, noise=Noise(5, sigma=0.02, memory_s=1.0), power_noise=Noise(6, sigma=0.01))
    meter = Meter(ENGINE, box.names)
    for step in each.steps[::4]:
        box.limit_w = step.limit_w
        for sample in box.run(70.0):
            meter.feed(sample)
        point = meter.point
        assert point is not None and point.power_limit_w == step.limit_w
        assert point.decode is not None and point.decode.error_tps is not None
        assert abs(point.decode.tps - step.tps) < 4 * point.decode.error_tps
        assert point.decode.error_tps < 0.015 * step.tps
        assert point.power_w == pytest.approx(step.draw_w, rel=0.02)
        assert point.joules_per_token == pytest.approx(step.draw_w / step.tps, rel=0.03)
        assert (point.throttled_share or 0.0) > 0.9 or not each.binds(step.limit_w)


def test_gpus_in_step_and_all_that_can_happen() -> None:
    each = curve("3090 decode x1 A3B")
    box = Box(each, gpus=2)
    meter = Meter(ENGINE, box.names)

    def run(seconds: float) -> None:
        for sample in box.run(seconds):
            meter.feed(sample)

    run(60.0)
    assert meter.stay.limits_w == (370.0, 370.0)
    assert meter.point is not None and meter.point.power_w == pytest.approx(2 * 354.23, rel=0.01)
    box.gone.add("nvidia1")
    run(2.0)
    assert meter.missing == ("RTX 3090 (nvidia1) is gone",)
    box.gone.clear()
    box.sleep(900.0)
    run(30.0)
    assert meter.stay.number == 1 and "901 s in all: left out" in meter.remarks[0]
    box.restart()
    run(30.0)
    assert meter.stay.why == "the engine was restarted"
    box.load = 0.0
    run(10.0)
    assert meter.quiet_s == pytest.approx(10.0, abs=1.1)
    box.alive = False
    run(10.0)
    assert meter.silent_s == pytest.approx(10.0, abs=1.1)
