"""Which limit is chosen, and what is said of it."""

import msgspec
import pytest
from llmtop.estimator.tuning.choice import Choice, choose

from .points import stay


def _falling(kept: dict[int, float], *, error: float = 0.001, draws: float | None = None) -> Choice:
    """Each limit between two stays at 400 W, which make 100 tokens/s."""
    points = [stay(400, 100.0, 0, error=error, power_w=draws)]
    for index, (limit, share) in enumerate(kept.items()):
        at = 100.0 * index
        power = None if draws is None else min(draws, limit)
        points.append(stay(limit, 100.0 * share, at + 50.0, error=error, power_w=power))
        points.append(stay(400, 100.0, at + 100.0, error=error, power_w=draws))
    return choose(points, 0.97, "decode")


def test_the_lowest_that_surely_keeps_enough() -> None:
    found = _falling({350: 0.995, 300: 0.98, 250: 0.94, 200: 0.8})
    assert found.chosen is not None and found.chosen.power_limit_w == 300
    assert found.kept == pytest.approx(0.98)
    assert found.kept_low is not None and 0.97 < found.kept_low < 0.98
    assert found.saved_w == 100.0
    assert found.verdicts == ("keeps", "keeps", "keeps", "fails", "fails")
    assert found.sentences[0].startswith("300 W keeps 98.0 % of the speed at 400 W (at least 97.")
    assert found.sentences[1] == "It draws 100 W less, 3.06 J a token instead of 4."


def test_what_is_only_likely_to_keep_enough_is_not_chosen_but_named() -> None:
    found = _falling({350: 0.99, 300: 0.9715, 250: 0.9})
    assert found.chosen is not None and found.chosen.power_limit_w == 350
    assert found.verdicts[2] == "unsure"
    assert any("300 W may keep enough too (97.2 % ± 0.2)" in each for each in found.sentences)


def test_what_is_only_likely_to_be_too_slow_does_not_fail() -> None:
    assert _falling({350: 0.99, 300: 0.9688, 250: 0.96}).verdicts == ("keeps", "keeps", "unsure", "fails")


def test_nothing_below_a_limit_that_fails_is_chosen() -> None:
    """250 W seem to keep 99 %, but 300 W surely do not keep 97 %."""
    points = [stay(400, 100.0, 0), stay(350, 99.0, 10), stay(300, 90.0, 20), stay(400, 100.0, 30)]
    points += [stay(250, 99.0, 40, error=0.02), stay(400, 100.0, 50)]
    found = choose(points, 0.97, "decode")
    assert found.chosen is not None and found.chosen.power_limit_w == 350


def test_a_noisy_load_gets_no_verdict_but_says_how_small_a_loss_shows() -> None:
    found = _falling({350: 0.99, 300: 0.98, 250: 0.97}, error=0.02)
    assert found.chosen is None and found.kept is None and found.saved_w is None
    assert found.resolution == pytest.approx(1.645 * 0.02 * 1.5**0.5, rel=0.05)
    assert "Cannot tell a loss below 4.0 %" in found.sentences[0] and "--measure" in found.sentences[0]


def test_a_lucky_limit_does_not_make_up_for_noise() -> None:
    """It seems 4 % faster than the highest, which no lower limit is: no proof that it keeps 97 %."""
    assert _falling({350: 1.04, 300: 0.9}, error=0.02).chosen is None


def test_where_the_next_limit_fails_the_highest_is_the_answer() -> None:
    found = _falling({350: 0.93, 300: 0.85})
    assert found.chosen is not None and found.chosen.power_limit_w == 400
    assert found.saved_w == 0.0
    assert found.sentences[0] == "No lower limit surely keeps 97 % of the speed at 400 W."


def test_limits_that_are_never_reached() -> None:
    found = _falling({375: 1.0, 350: 1.001, 300: 0.999, 250: 0.99, 200: 0.9}, draws=262.0)
    assert found.never_binds_from_w == 300
    assert "No limit from 300 W up is ever reached: it draws 262 W." in found.sentences
    assert [step.binds for step in found.steps] == [False, False, False, False, True, True]
    assert found.chosen is not None and found.chosen.power_limit_w == 250


def test_of_limits_that_are_never_reached_the_lowest_is_chosen_even_where_the_speed_is_noisy() -> None:
    """The same draw is the same speed, whatever the noise says; it saves nothing, and that is said."""
    found = _falling({375: 1.0, 350: 0.99, 300: 1.01}, draws=262.0, error=0.02)
    assert found.chosen is not None and found.chosen.power_limit_w == 300
    assert found.plateau_w == (400, 375, 350, 300)
    assert "It saves nothing: the draw is the same." in found.sentences


def test_of_a_plateau_further_down_the_lowest_is_chosen() -> None:
    """An RTX 3090 drew 334 W under every limit from 340 to 370 W, and more under 380 (club-3090, 27B, decode)."""
    kept = {390: 1.0, 380: 0.99, 370: 0.974, 360: 0.974, 350: 0.974, 340: 0.974, 330: 0.95}
    draws = {390: 388.5, 380: 361.7, 370: 334.0, 360: 333.9, 350: 334.1, 340: 334.1, 330: 329.4}
    points = [
        stay(limit, 100.0 * share, 10.0 * index, power_w=draws[limit], error=0.004 if limit == 340 else 0.001)
        for index, (limit, share) in enumerate(kept.items())
    ]
    found = choose(points, 0.97, "decode")
    assert found.steps[5].verdict(0.97) == "unsure"
    assert found.chosen is not None and found.chosen.power_limit_w == 340
    assert found.plateau_w == (370, 360, 350, 340)
    assert found.never_binds_from_w is None
    assert "340 to 370 W are all the same: the lowest of them is chosen." in found.sentences


def test_limits_a_watt_apart_are_no_plateau() -> None:
    """Their draws are alike because the limits are."""
    points = [stay(limit, 100.0, 10.0 * index) for index, limit in enumerate((28, 27, 26, 25))]
    assert choose(points, 0.97, "decode").never_binds_from_w is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"streams": 2.0}, "1 to 2 requests at once"),
        ({"context": 8000.0}, "4000 to 8000 tokens of context"),
        ({"idle": 0.25}, "at 300 W nothing was generated 25 % of the time"),
        ({"error": 0.1}, "at 300 W the speed went up and down by 63 %"),
    ],
)
def test_an_uneven_load_is_not_judged(changed: dict[str, float], reason: str) -> None:
    odd = stay(300, 99.0, 50, **changed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    found = choose([stay(400, 100.0, 0), odd, stay(400, 100.0, 100)], 0.97, "decode")
    assert found.uneven == reason
    assert found.chosen is None
    assert found.sentences[0].startswith(f"The load is too uneven to judge: {reason}.")


def test_a_load_that_differs_a_little_is_judged() -> None:
    points = [stay(400, 100.0, 0), stay(300, 99.0, 50, streams=1.08, context=4300.0, idle=0.05), stay(400, 100.0, 100)]
    assert choose(points, 0.97, "decode").uneven is None


def test_both_phases_have_their_own_knee() -> None:
    points = [
        stay(400, 100.0, 0, prefill_tps=2000.0),
        stay(350, 99.5, 10, prefill_tps=1960.0),
        stay(300, 98.5, 20, prefill_tps=1800.0),
        stay(400, 100.0, 30, prefill_tps=2000.0),
    ]
    decode, prefill = choose(points, 0.97, "decode").chosen, choose(points, 0.97, "prefill").chosen
    assert decode is not None and prefill is not None
    assert (decode.power_limit_w, prefill.power_limit_w) == (300, 350)


def test_errors_that_nobody_knows_give_no_verdict() -> None:
    points = [stay(400, 100.0, 0, error=None), stay(300, 99.0, 10, error=None)]
    found = choose(points, 0.97, "decode")
    assert found.chosen is None and found.resolution is None
    assert "measured too briefly" in found.sentences[0]


def test_one_limit_alone() -> None:
    found = choose([stay(400, 100.0, 0)], 0.97, "decode")
    assert found.chosen is None
    assert found.sentences == ("Only 400 W was measured: there is nothing to compare it with.",)


def test_drift_and_other_throttles_are_told() -> None:
    points = [stay(400, 100.0, 0), stay(300, 97.9, 50, throttles=("too hot",)), stay(400, 98.0, 100)]
    found = choose(points, 0.97, "decode")
    assert found.drift == pytest.approx(100 / 98 - 1)
    assert any("moved by 2.0 % meanwhile" in each for each in found.sentences)
    assert any("too hot" in each for each in found.sentences)


def test_a_choice_can_be_written_as_json() -> None:
    found = _falling({350: 0.995, 300: 0.98, 250: 0.9})
    assert msgspec.json.decode(msgspec.json.encode(found), type=Choice) == found


def test_a_noisy_plateau_below_the_highest_is_not_sure() -> None:
    points = [stay(390, 100.0, 0, error=0.02)]
    points += [stay(limit, 97.5, 10.0 + at, power_w=334.0, error=0.02) for at, limit in enumerate((370, 360, 350, 340))]
    found = choose(points, 0.97, "decode")
    assert found.verdicts[1:] == ("unsure",) * 4
    assert found.chosen is None
