"""Speculative decoding: published values of the formula, counters, and what the verifying step costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.constants import Constants
from llmtop.estimator.expected import decode_step
from llmtop.estimator.setup import Setup, Stage
from llmtop.estimator.software import Software, engine
from llmtop.estimator.speculative import (
    Speculation,
    chance,
    observed,
    predicted,
    speed_up,
    tokens_per_step,
    verify_step,
)
from msgspec.structs import replace

TERMS = ("layers", "kv", "core", "attention", "batch")
WEIGHTS_ONLY = Constants(decode={name: {"all": 0.0} for name in TERMS}, prefill={}, spreads={})
"""A machine on which a step costs what reading the weights takes, as the paper assumes."""


def setup(name: str = "Llama-3.1-8B", streams: float = 1.0, context: float = 4096.0) -> Setup:
    return Setup(
        facts=model(name).facts(known_format("Q4_K_M")),
        software=Software(engine=engine("llama.cpp"), backend="cuda"),
        stages=(Stage(device=device("RTX 4090").as_device("gpu0")),),
        streams=streams,
        context=context,
    )


# Leviathan et al., table 1: chance, draft length, speed-up of a draft that costs nothing.
TABLE_1 = [(0.6, 2, 1.96), (0.7, 3, 2.53), (0.8, 2, 2.44), (0.8, 5, 3.69), (0.9, 2, 2.71), (0.9, 10, 6.86)]


@pytest.mark.parametrize(("right", "drafted", "faster"), TABLE_1)
def test_the_papers_table(right: float, drafted: float, faster: float) -> None:
    found = predicted(right, drafted)
    assert found.tokens == pytest.approx(faster, abs=0.005)
    assert speed_up(setup(), found, fitted=WEIGHTS_ONLY) == pytest.approx(faster, abs=0.005)


def test_a_draft_model_costs_its_own_steps() -> None:
    """Theorem 3.8: (1 - a^(g+1)) / ((1 - a) (g c + 1)), with c the cost of the draft's step in steps of the model."""
    whole, small = setup(), setup("Llama-3.2-1B")
    cost = decode_step(small, WEIGHTS_ONLY).seconds / decode_step(whole, WEIGHTS_ONLY).seconds
    assert 0.1 < cost < 0.25
    faster = speed_up(whole, predicted(0.8, 5), small, WEIGHTS_ONLY)
    assert faster == pytest.approx(3.68928 / (5 * cost + 1), rel=1e-4)


def test_never_right_is_a_token_a_step_and_always_right_all_of_them() -> None:
    assert predicted(0.0, 4).tokens == 1.0
    assert predicted(1.0, 4).tokens == 5.0
    assert predicted(0.5, 0).tokens == 1.0


@given(right=st.floats(0, 1), drafted=st.integers(1, 16))
def test_the_chance_comes_back_from_the_share(right: float, drafted: int) -> None:
    share = (predicted(right, drafted).tokens - 1) / drafted
    assert share <= right + 1e-9
    assert predicted(chance(share, drafted), drafted).tokens == pytest.approx(predicted(right, drafted).tokens)


def test_vllms_mean_acceptance_length() -> None:
    """1 + accepted / drafts, where every step has a draft: 100 steps with 3 guesses each, 150 of them right."""
    assert tokens_per_step(100, 150) == 2.5
    assert observed(100, 300, 150, 250) == Speculation(tokens=2.5, drafted=3.0)


def test_steps_without_a_draft_count() -> None:
    """400 tokens of which 150 were guessed: 250 steps, 150 of them with nothing to check."""
    assert observed(100, 300, 150, 400) == Speculation(tokens=1.6, drafted=1.2)


def test_a_window_that_holds_fewer_tokens_than_its_drafts_is_not_believed() -> None:
    assert tokens_per_step(100, 150, 20) == 2.5


@pytest.mark.parametrize(
    ("drafts", "accepted"), [(None, None), (0, 0), (10, None), (None, 10), (-5, 3), (5, -3)], ids=str
)
def test_nothing_drafted_is_none(drafts: float | None, accepted: float | None) -> None:
    assert tokens_per_step(drafts, accepted, 100) is None


@given(
    st.floats(1, 1e9),
    st.floats(0, 1e9),
    st.none() | st.floats(0, 1e9),
)
def test_a_step_makes_at_least_a_token(drafts: float, accepted: float, generated: float | None) -> None:
    found = tokens_per_step(drafts, accepted, generated)
    assert found is not None and 1.0 <= found <= (1.0 + accepted / drafts) * (1.0 + 1e-9)


def test_verifying_reads_the_cache_once_and_the_weights_once() -> None:
    plain, checked = decode_step(setup(streams=4)), verify_step(setup(streams=4), 3)
    assert checked.of("kv") == plain.of("kv") > 0
    assert checked.of("weights") == plain.of("weights")
    assert checked.of("layers") == plain.of("layers")
    assert checked.of("attention") == pytest.approx(4 * plain.of("attention"))
    assert checked.of("batch") == pytest.approx(15 / 3 * plain.of("batch"))


def test_verifying_touches_more_experts() -> None:
    """8 of 128 a token: five tokens touch 1 - (120 / 128)^5 = 27.58 % of them."""
    moe = setup("Qwen3-30B-A3B")
    plain, checked = (sum(part.bytes or 0 for part in it.parts) for it in (decode_step(moe), verify_step(moe, 4)))
    assert checked - plain == pytest.approx((0.27580 - 0.0625) * moe.facts.expert_bytes, rel=1e-3)
    dense, mixed = (speed_up(it, predicted(0.8, 4)) for it in (setup(), moe))
    assert mixed < dense


def test_a_window_of_attention_is_read_once_too() -> None:
    sliding = setup("gemma-3-12b", context=8192)
    assert sliding.facts.kv_window
    assert verify_step(sliding, 7).of("kv") == decode_step(sliding).of("kv")


def test_nothing_drafted_is_a_plain_step() -> None:
    assert verify_step(setup(), 0) == decode_step(setup())
    assert speed_up(setup(), predicted(0.8, 0)) == pytest.approx(1.0)


def test_it_pays_for_one_stream_and_less_for_many() -> None:
    """Spare arithmetic is what pays for it, and many streams leave none of it."""
    single, many = (speed_up(setup(streams=streams), predicted(0.7, 4)) for streams in (1.0, 128.0))
    assert 1.5 < single < predicted(0.7, 4).tokens
    assert many < 0.8 * single


def test_bad_guesses_slow_it_down() -> None:
    assert speed_up(setup(), predicted(0.05, 8), setup("Llama-3.2-1B")) < 1.0


def test_two_devices_are_asked_like_one() -> None:
    card = device("RTX 4090").as_device("gpu0")
    pair = replace(setup(), stages=(Stage(device=card, share=0.5), Stage(device=card, share=0.5)))
    assert verify_step(pair, 3).of("kv") == pytest.approx(decode_step(pair).of("kv"))
    assert 1.5 < speed_up(pair, predicted(0.7, 3)) < 2.533
