"""KV cache and width of attention, for the layouts that architectures have."""

from pathlib import Path

import pytest
from llmtop.probes.models import facts
from llmtop.probes.sample import ModelFacts

from .build import Item, blocks, build

HEADS, KV_HEADS, WIDTH = 8, 2, 16
PAIR = KV_HEADS * 2 * WIDTH
"""KV elements of one layer."""


def model(
    folder: Path,
    architecture: str,
    layers: int,
    more: dict[str, Item],
    tensors: dict[str, tuple[int, ...]] | None = None,
) -> ModelFacts:
    own: dict[str, Item] = {
        "block_count": layers,
        "embedding_length": HEADS * WIDTH,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        **more,
    }
    keys: dict[str, Item] = {f"{architecture}.{key}": value for key, value in own.items()}
    table = tensors or blocks(layers, "attn_q", "attn_k", "attn_v")
    path = build(
        folder / "m.gguf", {"general.architecture": architecture, **keys}, {"token_embd.weight": (32, 8), **table}
    )
    found = facts(str(path))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("architecture", "layers", "full"),
    [
        ("gemma2", 26, 13),
        ("gemma3", 34, 5),
        ("gpt-oss", 24, 12),
        ("cohere2", 32, 8),
        ("smallthinker", 32, 8),
        ("phi3", 32, 32),
    ],
)
def test_patterns_of_architectures(tmp_path: Path, architecture: str, layers: int, full: int) -> None:
    found = model(tmp_path, architecture, layers, {"attention.sliding_window": 4096})
    assert found.kv_elements == full * PAIR
    assert found.kv_window_elements == (layers - full) * PAIR
    assert found.kv_window == (4096 if layers > full else None)
    assert found.source == "GGUF header"
    assert found.attention_width == layers * HEADS * WIDTH


@pytest.mark.parametrize(("pattern", "full"), [(3, 4), ([True, True, False, False], 6), ([1, 1, 1, 0], 3)])
def test_the_pattern_of_the_file_goes_first(tmp_path: Path, pattern: Item, full: int) -> None:
    more: dict[str, Item] = {"attention.sliding_window": 1024, "attention.sliding_window_pattern": pattern}
    found = model(tmp_path, "gemma3", 12, more)
    assert (found.kv_elements, found.kv_window_elements) == (full * PAIR, (12 - full) * PAIR)


def test_a_window_of_an_unknown_architecture_holds_for_all_layers(tmp_path: Path) -> None:
    found = model(tmp_path, "novel", 4, {"attention.sliding_window": 1024})
    assert (found.kv_elements, found.kv_window_elements, found.kv_window) == (0, 4 * PAIR, 1024)
    assert found.source == "GGUF header, all layers taken as sliding-window ones"


def test_sliding_layers_may_have_heads_of_their_own(tmp_path: Path) -> None:
    more: dict[str, Item] = {
        "attention.sliding_window": 1024,
        "attention.sliding_window_pattern": [True, False],
        "attention.key_length": 64,
        "attention.value_length": 64,
        "attention.key_length_swa": 32,
        "attention.value_length_swa": 32,
        "attention.shared_kv_layers": 2,
    }
    found = model(tmp_path, "gemma4", 6, more)
    assert found.kv_elements == 2 * KV_HEADS * 128
    assert found.kv_window_elements == 2 * KV_HEADS * 64
    assert found.attention_width == 3 * HEADS * (64 + 32)


def test_latent_attention_keeps_one_compressed_pair(tmp_path: Path) -> None:
    more: dict[str, Item] = {
        "attention.kv_lora_rank": 512,
        "rope.dimension_count": 64,
        "attention.head_count_kv": 1,
        "attention.key_length": 576,
        "attention.value_length": 512,
        "attention.key_length_mla": 192,
    }
    found = model(tmp_path, "deepseek2", 3, more, blocks(3, "attn_q_b", "attn_kv_a_mqa", "attn_k_b"))
    assert found.kv_elements == 3 * (512 + 64)
    assert found.attention_width == 3 * HEADS * 192


def test_layers_without_kv_heads_have_no_cache(tmp_path: Path) -> None:
    found = model(tmp_path, "lfm2", 4, {"attention.head_count_kv": [0, 0, KV_HEADS, 0]})
    assert found.kv_elements == PAIR


def test_recurrent_layers_have_no_cache(tmp_path: Path) -> None:
    tensors = blocks(8, "attn_qkv", "attn_gate", "ssm_conv1d", "ssm_out")
    for layer in (3, 7):
        tensors = {name: size for name, size in tensors.items() if not name.startswith(f"blk.{layer}.")}
        tensors |= {f"blk.{layer}.attn_{kind}.weight": (32, 32) for kind in ("q", "k", "v")}
    assert model(tmp_path, "novel-next", 8, {}, tensors).kv_elements == 2 * PAIR
    assert model(tmp_path, "qwen3next", 8, {}).kv_elements == 2 * PAIR
    assert model(tmp_path, "qwen35", 8, {"full_attention_interval": 2}).kv_elements == 4 * PAIR


def test_layers_with_both_have_a_cache(tmp_path: Path) -> None:
    found = model(tmp_path, "falcon-h1", 2, {}, blocks(2, "attn_q", "attn_k", "attn_v", "ssm_in"))
    assert found.kv_elements == 2 * PAIR


def test_layers_for_predicting_several_tokens_are_unused(tmp_path: Path) -> None:
    tensors = blocks(3, "attn_q", "attn_k", "attn_v") | {
        "blk.1.ffn_up_exps.weight": (32, 32, 4),
        "blk.2.ffn_up_exps.weight": (32, 32, 4),
        "blk.2.nextn.eh_proj.weight": (32, 32),
    }
    found = model(tmp_path, "glm4moe", 3, {"nextn_predict_layers": 1, "expert_count": 4}, tensors)
    assert found.layers == 2
    assert found.kv_elements == 2 * PAIR
    assert found.unused_parameters == 32 * 32 * (3 + 4 + 1)
    assert found.unused_bytes == 2 * found.unused_parameters
    assert found.expert_parameters == 32 * 32 * 4


def test_per_layer_embeddings_are_looked_up(tmp_path: Path) -> None:
    tensors = blocks(2, "attn_q", "attn_k", "attn_v") | {"per_layer_token_embd.weight": (64, 100)}
    found = model(tmp_path, "gemma3n", 2, {}, tensors)
    assert found.unused_parameters == 6400
    assert found.embedding_parameters == 32 * 8
    assert found.tied_embeddings is True


def test_without_the_keys_the_cache_is_unknown(tmp_path: Path) -> None:
    path = build(tmp_path / "m.gguf", {"general.architecture": "clip"}, {"v.patch_embd.weight": (32, 8)})
    found = facts(str(path))
    assert found is not None
    assert (found.kv_elements, found.attention_width, found.layers, found.tied_embeddings) == (None, None, None, None)
