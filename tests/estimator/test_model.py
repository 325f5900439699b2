"""Bytes and FLOPs against arithmetic done by hand."""

import pytest
from llmtop.estimator.model import (
    Load,
    active_parameters,
    decode_flops,
    kv_bytes_read,
    prefill_flops,
    touched_share,
    weight_bytes_read,
)
from llmtop.probes.sample import ModelFacts

DENSE = ModelFacts(
    name="dense",
    source="test",
    parameters=1_000,
    weight_bytes=2_000,
    embedding_bytes=200,
    embedding_parameters=100,
    tied_embeddings=False,
    head_parameters=100,
    layers=4,
    attention_width=64,
    kv_elements=32,
)
MOE = ModelFacts(
    name="moe",
    source="test",
    parameters=1_000,
    weight_bytes=2_000,
    embedding_bytes=200,
    embedding_parameters=100,
    tied_embeddings=False,
    expert_bytes=1_600,
    expert_parameters=800,
    expert_count=8,
    expert_used_count=2,
)


def test_the_embedding_table_is_not_streamed_unless_it_is_the_head() -> None:
    assert weight_bytes_read(DENSE) == 1_800
    tied = ModelFacts(name="t", source="test", weight_bytes=2_000, embedding_bytes=200, tied_embeddings=True)
    assert weight_bytes_read(tied) == 2_000


def test_one_token_reads_its_experts_and_everything_else() -> None:
    assert weight_bytes_read(MOE) == 2_000 - 200 - 1_200
    assert active_parameters(MOE) == 1_000 - 100 - 600


def test_many_streams_touch_more_experts_up_to_all() -> None:
    assert touched_share(MOE, 1) == 0.25
    assert touched_share(MOE, 2) == pytest.approx(1 - 0.75**2)
    assert touched_share(MOE, 64) == pytest.approx(1.0, abs=1e-6)
    assert touched_share(DENSE, 64) == 1.0


def test_kv_grows_with_context_and_stops_at_the_window() -> None:
    assert kv_bytes_read(DENSE, Load(streams=1, context_tokens=100)) == 32 * 100 * 2
    windowed = ModelFacts(name="w", source="test", kv_elements=10, kv_window_elements=50, kv_window=8)
    assert kv_bytes_read(windowed, Load(streams=2, context_tokens=200)) == (10 * 200 + 50 * 8 * 2) * 2
    assert kv_bytes_read(windowed, Load(streams=1, context_tokens=4, kv_bytes_per_element=1.0)) == 60 * 4


def test_flops_count_two_a_weight_and_four_a_width_and_token_of_context() -> None:
    assert decode_flops(DENSE, Load(streams=3, context_tokens=300)) == 2 * 900 * 3 + 4 * 64 * 300
    assert prefill_flops(DENSE, 10) == 2 * 800 + 4 * 64 * 5


def test_a_size_without_a_layout_gives_no_bytes_per_token() -> None:
    size_only = ModelFacts(name="s", source="GET /v1/models", parameters=1_000, weight_bytes=2_000)
    assert weight_bytes_read(size_only) is None
    assert active_parameters(size_only) is None
    assert kv_bytes_read(size_only, Load()) is None
