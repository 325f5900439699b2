"""Which layer does what, for the ways in which `config.json` files say it."""

from pathlib import Path

import pytest
from llmtop.probes.models import facts
from llmtop.probes.models.safetensors.config import load
from llmtop.probes.models.safetensors.kinds import Kind, kinds
from llmtop.probes.models.safetensors.layers import layers
from llmtop.probes.sample import ModelFacts

from .folders import folder

BASE: dict[str, object] = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "vocab_size": 100,
    "num_key_value_heads": 2, "num_hidden_layers": 8, "tie_word_embeddings": False,
}  # fmt: skip
PAIR = 2 * 2 * 16
"""KV elements of one layer."""


def read(place: Path, **more: object) -> ModelFacts:
    found = facts(str(folder(place / "m", {**BASE, **more})))
    assert found is not None
    return found


def letters(place: Path, **more: object) -> str:
    short: dict[Kind, str] = {"full": "F", "window": "w", "linear": "l", "both": "b", "none": "-"}
    return "".join(short[kind] for kind in kinds(load(folder(place, {**BASE, **more}) / "config.json").language()))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "FFFFFFFF"),
        ({"sliding_window": 32}, "wwwwwwww"),
        ({"sliding_window": None}, "FFFFFFFF"),
        ({"sliding_window": 32, "use_sliding_window": False}, "FFFFFFFF"),
        ({"sliding_window": 32, "use_sliding_window": True, "max_window_layers": 6}, "FFFFFFww"),
        ({"sliding_window": 32, "max_window_layers": 6}, "wwwwwwww"),
        ({"sliding_window": 32, "sliding_window_pattern": 4}, "wwwFwwwF"),
        ({"sliding_window": 32, "sliding_window_pattern": "LLLG"}, "wwwFwwwF"),
        ({"model_type": "gemma2"}, "wFwFwFwF"),
        ({"model_type": "gemma3_text", "sliding_window": 32}, "wwwwwFww"),
        ({"model_type": "gpt_oss", "sliding_window": 32}, "wFwFwFwF"),
        ({"model_type": "llama4_text"}, "wwwFwwwF"),
        ({"model_type": "llama4_text", "no_rope_layers": [1, 0] * 4}, "wFwFwFwF"),
        ({"sliding_window": 32, "layer_types": ["full_attention", "sliding_attention"] * 4}, "FwFwFwFw"),
        ({"layer_types": ["full_attention", "sliding_attention"] * 4}, "FFFFFFFF"),
        ({"sliding_window": 32, "hybrid_layer_pattern": [0, 1, 1, 1, 0, 1, 1, 1]}, "FwwwFwww"),
        ({"full_attention_interval": 4}, "lllFlllF"),
        ({"layer_types": ["linear_attention", "full_attention"] * 4}, "lFlFlFlF"),
        ({"layer_types": ["conv", "conv", "full_attention", "conv"] * 2}, "llFlllFl"),
        ({"layers_block_type": ["mamba", "attention"] * 4}, "lFlFlFlF"),
        ({"attn_layer_indices": [2, 6]}, "llFlllFl"),
        ({"full_attn_idxs": [2, 6]}, "llFlllFl"),
        ({"attn_layer_period": 4, "attn_layer_offset": 1}, "lFlllFll"),
        ({"linear_attn_config": {"full_attn_layers": [4, 8], "kda_layers": [1, 2, 3, 5, 6, 7]}}, "lllFlllF"),
        ({"attn_type_list": [0, 0, 0, 1] * 2}, "lllFlllF"),
        ({"hybrid_override_pattern": "M-M*E-M*"}, "l-lF--lF"),
        ({"model_type": "mamba2"}, "llllllll"),
        ({"model_type": "falcon_h1"}, "bbbbbbbb"),
        ({"num_hidden_layers": None, "layer_types": ["full_attention"] * 3}, "FFF"),
        ({"model_type": "new", "num_hidden_layers": None}, ""),
    ],
)
def test_kinds_of_layers(tmp_path: Path, more: dict[str, object], expected: str) -> None:
    assert letters(tmp_path, **more) == expected


EXPERTS: dict[str, object] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
ALL = 4 * 3 * 64 * 32
"""Parameters of the experts of one layer."""


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 8),
        ({"first_k_dense_replace": 3}, 5),
        ({"first_k_dense_replace": 2, "moe_layer_freq": 2}, 3),
        ({"moe_layer_freq": [0, 0, 1, 1, 1, 1, 0, 1]}, 5),
        ({"decoder_sparse_step": 2}, 4),
        ({"decoder_sparse_step": 1, "mlp_only_layers": [0, 7]}, 6),
        ({"interleave_moe_layer_step": 2}, 4),
        ({"moe_layers": [1, 2, 3]}, 3),
        ({"moe_layers_enum": "4,5,6,7"}, 4),
        ({"expert_layer_period": 2, "expert_layer_offset": 1}, 4),
        ({"mlp_layer_types": ["dense"] * 3 + ["sparse"] * 5}, 5),
        ({"moe_layer_start_index": 1, "moe_layer_end_index": 5, "moe_layer_interval": 1}, 5),
        ({"num_experts": 0}, 0),
        ({"enable_moe_block": False}, 0),
    ],
)
def test_layers_with_experts(tmp_path: Path, more: dict[str, object], count: int) -> None:
    found = read(tmp_path, **{**EXPERTS, **more})
    assert found.expert_parameters == count * ALL


@pytest.mark.parametrize(
    ("experts", "used"),
    [
        ("num_local_experts", "num_experts_per_tok"),
        ("n_routed_experts", "num_experts_per_token"),
        ("num_experts", "moe_topk"),
        ("moe_num_experts", "moe_top_k"),
        ("num_experts", "top_k_experts"),
    ],
)
def test_names_of_the_numbers_of_experts(tmp_path: Path, experts: str, used: str) -> None:
    found = read(tmp_path, moe_intermediate_size=32, **{experts: 4, used: 2})
    assert (found.expert_count, found.expert_used_count, found.expert_parameters) == (4, 2, 8 * ALL)


@pytest.mark.parametrize(
    ("more", "width"),
    [
        ({"n_shared_experts": 2}, 64),
        ({"num_shared_experts": 1}, 32),
        ({"shared_expert_intermediate_size": 48}, 48),
        ({"moe_shared_expert_intermediate_size": 96, "n_shared_experts": 1}, 96),
        ({"shared_intermediate_size": 0}, 0),
    ],
)
def test_shared_experts_stay_in_the_body(tmp_path: Path, more: dict[str, object], width: int) -> None:
    without, found = read(tmp_path / "a", **EXPERTS), read(tmp_path / "b", **EXPERTS, **more)
    assert found.expert_parameters == without.expert_parameters == 8 * ALL
    assert (found.parameters or 0) - (without.parameters or 0) == 8 * 3 * 64 * width


def test_layers_that_borrow_a_cache_have_none(tmp_path: Path) -> None:
    window = {"sliding_window": 32, "layer_types": ["sliding_attention", "full_attention"] * 4}
    found = read(tmp_path, **window, num_kv_shared_layers=3)
    assert (found.kv_elements, found.kv_window_elements) == (2 * PAIR, 3 * PAIR)
    assert (found.attention_width, found.window_width) == (8 * 64, 4 * 64)


def test_an_index_keeps_a_key_of_its_own(tmp_path: Path) -> None:
    latent = {"kv_lora_rank": 32, "q_lora_rank": 48, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16}
    assert read(tmp_path / "a", **latent).kv_elements == 8 * 40
    assert read(tmp_path / "b", **latent, index_n_heads=4, index_head_dim=12).kv_elements == 8 * 52


def test_compressed_attention_keeps_one_entry_for_many_tokens(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        num_hidden_layers=3, num_key_value_heads=1, head_dim=128, q_lora_rank=32, o_lora_rank=32, o_groups=2,
        sliding_window=16, compress_ratios=[0, 4, 128], index_n_heads=4, index_head_dim=32,
    )  # fmt: skip
    assert (found.kv_window_elements, found.kv_window) == (3 * 128, 16)
    assert found.kv_elements == (128 + 32) // 4 + 128 // 128


STATES: dict[str, tuple[dict[str, object], int]] = {
    "delta net": (
        {
            "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
            "linear_value_head_dim": 8, "linear_conv_kernel_dim": 4,
        },
        4 * 16 * 8 + 3 * (2 * 2 * 16 + 4 * 8),
    ),
    "Mamba-2": (
        {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_n_groups": 2, "mamba_d_state": 32, "mamba_d_conv": 4},
        8 * 16 * 32 + 3 * (128 + 2 * 2 * 32),
    ),
    "Mamba": ({"mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2}, 128 * (16 + 3)),
    "Kimi": (
        {"linear_attn_config": {"kda_layers": [1], "head_dim": 16, "num_heads": 4, "short_conv_kernel_size": 4}},
        4 * 16 * 16 + 3 * 3 * 64,
    ),
    "convolution": ({"conv_L_cache": 3}, 2 * 64),
    "lightning": ({"model_type": "minimax_text_01"}, 4 * 16 * 16),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_states_do_not_grow(tmp_path: Path, name: str) -> None:
    more, state = STATES[name]
    found = read(tmp_path, layer_types=["linear_attention"] * 6 + ["full_attention"] * 2, **more)
    assert (found.linear_layers, found.state_elements) == (6, 6 * state)
    assert (found.kv_elements, found.attention_width) == (2 * PAIR, 2 * 64)


def test_layers_with_both_are_not_linear(tmp_path: Path) -> None:
    more = {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_n_groups": 1, "mamba_d_state": 32, "mamba_d_ssm": 128}
    found = read(tmp_path, model_type="falcon_h1", **more)
    assert (found.linear_layers, found.kv_elements) == (0, 8 * PAIR)
    assert found.state_elements == 8 * (128 * 32 + 3 * (128 + 2 * 32))


def test_counts_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    found = read(tmp_path, head_dim=16, num_attention_heads=[4] * 4 + [8] * 4, num_key_value_heads=[1, 2] * 4)
    assert (found.attention_width, found.kv_elements) == (16 * (16 + 32), 4 * 2 * 16 * (1 + 2))


def test_one_pair_for_all_heads(tmp_path: Path) -> None:
    assert read(tmp_path, model_type="falcon", multi_query=True).kv_elements == 8 * 2 * 16


def test_the_language_model_may_lie_inside_others(tmp_path: Path) -> None:
    inner = {**BASE, "num_hidden_layers": 4}
    place = folder(tmp_path, {"model_type": "omni", "thinker_config": {"text_config": inner, "hidden_size": 7}})
    assert len(layers(load(place / "config.json").language())) == 4
