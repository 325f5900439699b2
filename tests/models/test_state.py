"""States of recurrent layers in GGUF files, and the widths that go with windows."""

from pathlib import Path

from llmtop.probes.sample import ModelFacts

from .build import Item, blocks
from .test_attention import HEADS, WIDTH, model


def hybrid(folder: Path, architecture: str, more: dict[str, Item], *kinds: str) -> ModelFacts:
    """Eight layers, of which the fourth and the eighth have attention alone."""
    tensors = blocks(8, *kinds)
    for layer in (3, 7):
        tensors = {name: size for name, size in tensors.items() if not name.startswith(f"blk.{layer}.")}
        tensors |= {f"blk.{layer}.attn_{kind}.weight": (32, 32) for kind in ("q", "k", "v")}
    return model(folder, architecture, 8, more, tensors)


def test_a_gated_delta_net(tmp_path: Path) -> None:
    # Qwen3.5-35B-A3B: 32 value heads of 128, 16 key heads of 128, a convolution over 4
    more: dict[str, Item] = {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 32 * 128,
        "ssm.state_size": 128,
        "ssm.group_count": 16,
        "ssm.time_step_rank": 32,
    }
    found = hybrid(tmp_path, "qwen35moe", more, "attn_qkv", "attn_gate", "ssm_conv1d", "ssm_out")
    assert (found.layers, found.linear_layers) == (8, 6)
    assert found.state_elements == 6 * (32 * 128 * 128 + 3 * (32 * 128 + 2 * 16 * 128))
    assert found.hidden_size == HEADS * WIDTH
    assert found.attention_width == 2 * HEADS * WIDTH


def test_mamba(tmp_path: Path) -> None:
    more: dict[str, Item] = {"ssm.conv_kernel": 4, "ssm.inner_size": 5120, "ssm.state_size": 16}
    found = model(tmp_path, "mamba", 3, {**more, "attention.head_count": 0}, blocks(3, "ssm_in", "ssm_conv1d"))
    assert (found.linear_layers, found.kv_elements) == (3, 0)
    assert found.state_elements == 3 * (5120 * 16 + 3 * 5120)


def test_mamba_2_beside_networks_that_keep_nothing(tmp_path: Path) -> None:
    more: dict[str, Item] = {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 256 * 64,
        "ssm.state_size": 256,
        "ssm.group_count": 8,
        "attention.head_count_kv": [0, 0, 8, 0],
    }
    tensors: dict[str, tuple[int, ...]] = {
        "blk.0.ssm_in.weight": (32, 32),
        "blk.1.ffn_up.weight": (32, 32),
        "blk.2.attn_q.weight": (32, 32),
        "blk.2.attn_k.weight": (32, 32),
        "blk.3.ffn_up.weight": (32, 32),
    }
    found = model(tmp_path, "nemotron_h", 4, more, tensors)
    assert (found.linear_layers, found.kv_elements) == (1, 8 * 2 * WIDTH)
    assert found.state_elements == 256 * 64 * 256 + 3 * (256 * 64 + 2 * 8 * 256)


def test_attention_and_a_state_side_by_side(tmp_path: Path) -> None:
    more: dict[str, Item] = {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": 128,
        "ssm.state_size": 32,
        "ssm.group_count": 1,
    }
    found = model(tmp_path, "falcon-h1", 2, more, blocks(2, "attn_q", "attn_k", "attn_v", "ssm_in"))
    assert (found.linear_layers, found.attention_width) == (0, 2 * HEADS * WIDTH)
    assert found.state_elements == 2 * (128 * 32 + 3 * (128 + 2 * 32))


def test_rwkv(tmp_path: Path) -> None:
    more: dict[str, Item] = {"wkv.head_size": 64, "attention.head_count": 0}
    hidden = HEADS * WIDTH
    two = model(tmp_path, "rwkv6", 3, more, blocks(3, "time_mix_key", "channel_mix_key"))
    assert (two.linear_layers, two.kv_elements, two.state_elements) == (3, 0, 3 * (hidden * 64 + 2 * hidden))
    one = model(tmp_path, "rwkv6qwen2", 3, {**more, "token_shift_count": 1}, blocks(3, "time_mix_key"))
    assert one.state_elements == 3 * (hidden * 64 + hidden)


def test_kimi_delta_attention(tmp_path: Path) -> None:
    more: dict[str, Item] = {
        "ssm.conv_kernel": 4,
        "kda.head_dim": 128,
        "attention.head_count_kv": [0, 0, 0, 1] * 2,
        "attention.kv_lora_rank": 512,
        "rope.dimension_count": 64,
    }
    found = hybrid(tmp_path, "kimi-linear", more, "attn_q", "attn_k", "attn_v", "ssm_conv1d_q", "ssm_beta")
    assert (found.linear_layers, found.kv_elements) == (6, 2 * 576)
    assert found.state_elements == 6 * (HEADS * 128 * 128 + 3 * 3 * HEADS * 128)


def test_short_convolutions(tmp_path: Path) -> None:
    more: dict[str, Item] = {"shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 0, 2] * 2}
    found = hybrid(tmp_path, "lfm2", more, "shortconv.conv", "shortconv.in_proj")
    assert (found.linear_layers, found.state_elements) == (6, 6 * 2 * HEADS * WIDTH)


def test_a_model_without_states_has_none(tmp_path: Path) -> None:
    found = model(tmp_path, "llama", 4, {"ssm.state_size": 128, "ssm.inner_size": 128})
    assert (found.linear_layers, found.state_elements, found.window_width) == (0, 0, 0)


def test_the_width_in_windows_is_a_part_of_the_whole(tmp_path: Path) -> None:
    found = model(tmp_path, "gemma3", 12, {"attention.sliding_window": 1024})
    assert (found.attention_width, found.window_width) == (12 * HEADS * WIDTH, 10 * HEADS * WIDTH)
    more: dict[str, Item] = {
        "attention.sliding_window": 1024,
        "attention.sliding_window_pattern": [True, False],
        "attention.key_length": 64,
        "attention.key_length_swa": 32,
    }
    own = model(tmp_path, "gemma4", 6, more)
    assert (own.attention_width, own.window_width) == (3 * HEADS * (64 + 32), 3 * HEADS * 32)
