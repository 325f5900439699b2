"""Which limit comes next."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.tuning.grid import even, spaced
from llmtop.estimator.tuning.sweep import Stay, Sweep

from .points import stay


def _knee_at(knee_w: float, slope: float = 0.002) -> Callable[[float], float]:
    """Keeps all down to the knee, and loses so much for each watt below."""
    return lambda limit: 1.0 - slope * max(knee_w - limit, 0.0)


def _made(sweep: Sweep, kept: Callable[[float], float], *, error: float = 0.0005, most: int = 200) -> list[Stay]:
    """All stays of a sweep on a card without noise."""
    found: list[Stay] = []
    while (one := sweep.next()) is not None:
        found.append(one)
        share = kept(one.power_limit_w)
        sweep.add(stay(one.power_limit_w, 100.0 * share, 30.0 * len(found), error=error, prefill_tps=1000.0 * share))
        assert len(found) < most, "it does not end"
    assert sweep.done
    return found


def test_the_highest_first_then_down_and_the_highest_again_after_three() -> None:
    sweep = Sweep(100, 350, step_w=25, whole=True)
    made = [one.power_limit_w for one in _made(sweep, _knee_at(350, 0.0001))]
    assert made[:9] == [350, 325, 300, 275, 350, 250, 225, 200, 350]
    assert made[-1] == 350
    since = 0
    for limit in made[1:]:
        since = 0 if limit == 350 else since + 1
        assert since <= 3


def test_it_stops_going_down_where_two_limits_are_far_too_slow() -> None:
    made = [one.power_limit_w for one in _made(Sweep(100, 350, step_w=25), _knee_at(300, 0.004))]
    assert min(made) == 225  # 250 W keep 80 %, 225 W 70 %: both below 87 %
    whole = [one.power_limit_w for one in _made(Sweep(100, 350, step_w=25, whole=True), _knee_at(300, 0.004))]
    assert min(whole) == 100


def test_it_comes_within_5_w_of_the_knee() -> None:
    """97 % are kept down to 302 - 0.03 / 0.002 = 287 W; 300 W keep it and 250 W do not: 275, 290, 280 or 285 W next."""
    sweep = Sweep(100, 400, step_w=50, keep=0.97)
    made = _made(sweep, _knee_at(302, 0.002))
    chosen = sweep.choices()[0].chosen
    assert chosen is not None and chosen.power_limit_w == 290
    closer = [one.power_limit_w for one in made if one.why == "closer"]
    assert closer[:2] == [275, 290]
    assert 285 in closer and min(closer) > 250 and max(closer) < 300
    assert all(one.power_limit_w % 5 == 0 for one in made)


def test_steps_make_an_even_grid_and_nothing_between() -> None:
    sweep = Sweep(100, 400, steps=4)
    made = _made(sweep, _knee_at(310, 0.001))
    assert {one.power_limit_w for one in made} == {400, 300, 200, 100}
    assert {one.why for one in made} <= {"highest", "down", "again"}


def test_the_knee_of_each_phase_is_looked_for() -> None:
    sweep = Sweep(100, 400, step_w=50, phases=("decode", "prefill"))
    count = 0
    while (one := sweep.next()) is not None:
        count += 1
        limit = one.power_limit_w
        decode, prefill = 100.0 * _knee_at(240)(limit), 1000.0 * _knee_at(362)(limit)
        sweep.add(stay(limit, decode, 30.0 * count, error=0.0005, prefill_tps=prefill))
    knees = [choice.chosen.power_limit_w if choice.chosen else None for choice in sweep.choices()]
    assert knees == [230, 350]  # 225 and 347 W, and a margin


def test_a_limit_that_the_driver_refuses_is_left_out() -> None:
    sweep = Sweep(100, 350, step_w=25, whole=True)
    made: list[float] = []
    while (one := sweep.next()) is not None:
        if one.power_limit_w == 300:
            sweep.skip(300, "refused")
            continue
        made.append(one.power_limit_w)
        sweep.add(stay(one.power_limit_w, 100.0, 30.0 * len(made)))
    assert 300 not in made and 275 in made
    assert sweep.skipped == {300: "refused"}


def test_without_the_highest_there_is_nothing_to_compare_with() -> None:
    sweep = Sweep(100, 350)
    sweep.skip(350, "refused")
    assert sweep.done and sweep.next() is None


def test_a_driver_that_rounds_does_not_keep_it_forever() -> None:
    sweep = Sweep(100, 350)
    made = 0
    while (one := sweep.next()) is not None:
        made += 1
        sweep.add(stay(one.power_limit_w // 20 * 20, 50.0 + one.power_limit_w / 10.0, 30.0 * made))
        assert made < 100
    assert sweep.choices()[0].baseline.power_limit_w == 340


def _by_hand(limit_w: float) -> float:
    return {400.0: 1.0, 300.0: 0.985, 200.0: 0.8}[limit_w]


def test_noise_makes_it_stay_again_but_not_forever() -> None:
    """0.9 % of error at every stay: 98 % of the speed look like 98 ± 2 until they are measured again."""
    sweep = Sweep(200, 400, steps=3, repeats=3)
    made = _made(sweep, _by_hand, error=0.009)
    again = [one for one in made if one.why == "again"]
    assert again and {one.power_limit_w for one in again} == {300}
    assert len(again) <= 2
    assert len(_made(Sweep(200, 400, steps=3, repeats=1), _by_hand, error=0.009)) < (len(made))


def test_the_next_stay_stays_the_same_until_it_is_made() -> None:
    sweep = Sweep(100, 350, measure_s=17.0)
    first = sweep.next()
    assert first is not None and first is sweep.next()
    assert (first.power_limit_w, first.why, first.at_most_s) == (350, "highest", 17.0)


def test_a_stay_may_end_when_its_error_is_small_or_the_answer_clear() -> None:
    sweep = Sweep(100, 350, keep=0.97)
    assert not sweep.settled(stay(350, 100.0, 0, error=0.01))
    assert sweep.settled(stay(350, 100.0, 0, error=0.001))
    assert not sweep.settled(stay(350, 100.0, 0, error=0.001, blocks=3))
    assert not sweep.settled(stay(350, 100.0, 0, error=None))
    assert not sweep.settled(stay(350, None, 0))
    sweep.add(stay(350, 100.0, 0))
    assert not sweep.settled(stay(325, 97.0, 30, error=0.01))
    assert not sweep.settled(stay(325, 94.0, 30, error=0.005))
    assert sweep.settled(stay(325, 60.0, 30, error=0.01))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("steps", [None, 6])
@pytest.mark.parametrize("knee", [120.0, 300.0, 345.0])
def test_what_is_left_holds_what_comes(knee: float, steps: int | None, whole: bool) -> None:
    sweep = Sweep(100, 350, step_w=25, steps=steps, whole=whole)
    told: list[tuple[int, int, int]] = []
    while (one := sweep.next()) is not None:
        left = sweep.left
        told.append((left.least, left.usual, left.most))
        share = _knee_at(knee, 0.004)(one.power_limit_w)
        sweep.add(stay(one.power_limit_w, 100.0 * share, 30.0 * len(told), error=0.0005))
    for index, (least, usual, most) in enumerate(told):
        assert least <= len(told) - index <= most
        assert least <= usual <= most
    assert (sweep.left.least, sweep.left.usual, sweep.left.most) == (0, 0, 0)


def test_a_load_that_stops_at_once_ends_it() -> None:
    sweep = Sweep(100, 350)
    made = 0
    while (one := sweep.next()) is not None and made < 100:
        made += 1
        sweep.add(stay(one.power_limit_w, None, 30.0 * made))
    assert sweep.done
    assert sweep.choices() == ()


@pytest.mark.parametrize(("lowest", "highest", "keep"), [(0.0, 300.0, 0.97), (400.0, 300.0, 0.97), (100.0, 300.0, 1.0)])
def test_what_makes_no_sense_is_one_line(lowest: float, highest: float, keep: float) -> None:
    with pytest.raises(ValueError, match="must be") as raised:
        Sweep(lowest, highest, keep=keep)
    assert "\n" not in str(raised.value)


def test_a_device_with_one_limit_only() -> None:
    assert [one.power_limit_w for one in _made(Sweep(300, 300), _knee_at(100))] == [300]


def test_grids() -> None:
    assert spaced(190, 390) == (370, 350, 330, 310, 290, 270, 250, 230, 210, 190)
    assert spaced(102, 283.5, 50) == (235, 185, 135, 102)
    assert spaced(15, 28) == (27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15)
    assert even(100, 400, 4) == (300, 200, 100)
    assert even(110, 350, 5) == (290, 230, 170, 110)
    assert even(100, 400, 1) == ()


@given(
    st.integers(10, 300),
    st.integers(1, 500),
    st.sampled_from([None, 2, 5, 12]),
    st.sampled_from([1.0, 5.0, 17.0]),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_it_ends_and_stays_in_the_range(
    lowest: int, width: int, steps: int | None, rounds_to: float, chance: Random
) -> None:
    """Limits are refused and rounded, stays bring nothing, speeds are anything."""
    sweep = Sweep(lowest, lowest + width, steps=steps, phases=("decode", "prefill"))
    for made in range(200):
        one, left = sweep.next(), sweep.left
        assert left.least <= left.usual <= left.most
        if one is None:
            break
        assert lowest <= one.power_limit_w <= lowest + width
        if chance.random() < 0.1:
            sweep.skip(one.power_limit_w, "refused")
            continue
        tps = None if chance.random() < 0.1 else chance.uniform(50.0, 100.0)
        error = chance.choice([None, 0.0, 0.001, 0.05])
        took = max(one.power_limit_w // rounds_to * rounds_to, 1.0)
        sweep.add(stay(took, tps, 30.0 * made, error=error, blocks=chance.randint(0, 40), prefill_tps=tps))
    assert sweep.done
    for choice in sweep.choices():
        assert choice.sentences
