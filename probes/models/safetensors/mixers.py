"""Which mixers a layer has, read from `config.json`."""

from .attention import compressed, grouped, latent
from .config import Config
from .kinds import Kind, window
from .mixer import Mixer
from .recurrent import delta_net, kimi_delta, lightning, mamba, mamba2, short_convolution

_BIASED = {"qwen2", "qwen2_moe", "qwen2_vl", "qwen2_vl_text", "qwen2_5_vl", "qwen2_5_vl_text"}
"""Types whose queries, keys and values have a bias although no key says so."""
HEADS = ("num_attention_heads", "n_head", "num_query_heads", "n_heads")
"""Names of the number of query heads."""
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "multi_query_group_num", "n_head_kv")
_GATED = {"qwen3_next", "qwen3_5", "qwen3_5_text", "qwen3_5_moe", "qwen3_5_moe_text"}
"""Types whose attention has a gate although no key says so."""


def mixers(config: Config, kind: Kind, layer: int) -> tuple[Mixer, ...]:
    """The mixers of one layer: one, two side by side, or none."""
    hidden = config.whole("hidden_size", "n_embd", "d_model") or 0
    state = (_recurrent(config, hidden),) if kind in {"linear", "both"} else ()
    if kind in {"linear", "none"}:
        return state
    if config.whole("o_groups") and config.whole("o_lora_rank"):
        return _compressed(config, hidden, layer)
    if config.whole("kv_lora_rank"):
        return (_latent(config, hidden), *state)
    return (_attention(config, hidden, layer, slides=kind == "window"), *state)


def _attention(config: Config, hidden: int, layer: int, *, slides: bool) -> Mixer:
    """Layers with a window (`swa_`), or those without one (`global_`), may have heads of their own."""
    heads = config.nth(layer, *HEADS) or 1
    kv_heads = config.nth(layer, *KV_HEADS)
    width = config.whole("head_dim", "attention_head_dim", "kv_channels", "qk_nope_head_dim") or hidden // heads
    values = config.whole("v_head_dim") or width
    has_one_projection = config.flag("attention_k_eq_v") is True and not slides
    if config.flag("multi_query") and not config.flag("new_decoder_architecture"):
        kv_heads = 1
    if slides:
        heads = config.whole("swa_num_attention_heads") or heads
        kv_heads = config.whole("swa_num_key_value_heads") or kv_heads
        width, values = config.whole("swa_head_dim") or width, config.whole("swa_v_head_dim") or values
    elif config.whole("global_head_dim"):
        width = values = config.whole("global_head_dim") or width
        kv_heads = (config.whole("num_global_key_value_heads") if has_one_projection else None) or kv_heads
    return grouped(
        hidden,
        heads=heads,
        kv_heads=heads if kv_heads is None else kv_heads,
        key_width=width,
        value_width=values,
        window=window(config) if slides else None,
        borrows=config.borrows(layer),
        is_gated=config.type in _GATED or config.flag("attn_output_gate") is True,
        value_is_key=has_one_projection,
        has_bias=config.type in _BIASED or config.flag("attention_bias", "qkv_bias") is True,
    )


def _latent(config: Config, hidden: int) -> Mixer:
    return latent(
        hidden,
        heads=config.whole("num_attention_heads") or 1,
        rank=config.whole("kv_lora_rank") or 0,
        query_rank=config.whole("q_lora_rank") or 0,
        plain_width=config.whole("qk_nope_head_dim") or 0,
        rotated_width=config.whole("qk_rope_head_dim") or 0,
        value_width=config.whole("v_head_dim") or config.whole("qk_nope_head_dim") or 0,
        index_heads=config.whole("index_n_heads") or 0,
        index_width=config.whole("index_head_dim") or 0,
        is_gated=config.flag("mla_use_output_gate") is True,
    )


def _compressed(config: Config, hidden: int, layer: int) -> tuple[Mixer, ...]:
    return compressed(
        hidden,
        heads=config.whole("num_attention_heads") or 1,
        width=config.whole("head_dim") or 0,
        query_rank=config.whole("q_lora_rank") or 0,
        out_rank=config.whole("o_lora_rank") or 0,
        groups=config.whole("o_groups") or 0,
        window=window(config),
        ratio=config.nth(layer, "compress_ratios") or 0,
        index_heads=config.whole("index_n_heads") or 0,
        index_width=config.whole("index_head_dim") or 0,
    )


def _recurrent(config: Config, hidden: int) -> Mixer:
    """By the keys that are there; a kind that is not known here has neither parameters nor a state."""
    kimi = config.inside("linear_attn_config") or (config if config.whole("linear_num_heads") else None)
    if kimi is not None:
        return kimi_delta(
            hidden,
            heads=kimi.whole("num_heads", "linear_num_heads") or 0,
            width=kimi.whole("linear_head_dim", "head_dim") or 0,
            kernel=kimi.whole("short_conv_kernel_size", "linear_conv_kernel_dim") or 4,
            has_full_gate=kimi.flag("use_full_rank_gate") is True,
        )
    if config.whole("linear_num_value_heads"):
        return delta_net(
            hidden,
            key_heads=config.whole("linear_num_key_heads") or 0,
            value_heads=config.whole("linear_num_value_heads") or 0,
            key_width=config.whole("linear_key_head_dim") or 0,
            value_width=config.whole("linear_value_head_dim") or 0,
            kernel=config.whole("linear_conv_kernel_dim") or 4,
        )
    if config.whole("conv_L_cache"):
        return short_convolution(hidden, kernel=config.whole("conv_L_cache") or 0)
    return _state_space(config, hidden)


def _state_space(config: Config, hidden: int) -> Mixer:
    state = config.whole("ssm_state_size", "mamba_d_state", "state_size") or 0
    kernel = config.whole("mamba_d_conv", "conv_kernel") or 4
    inner = config.whole("mamba_d_ssm") or hidden * (config.whole("mamba_expand", "expand") or 2)
    heads = config.whole("mamba_num_heads", "mamba_n_heads") or (config.type == "mamba2" and config.whole("num_heads"))
    if not state and config.type.startswith("minimax"):
        heads = config.whole("num_attention_heads") or 1
        return lightning(hidden, heads=heads, width=config.whole("head_dim") or hidden // heads)
    if not state:
        return Mixer(parameters=0)
    if heads:
        width = config.whole("mamba_head_dim", "mamba_d_head", "head_dim") or inner // heads
        groups = config.whole("mamba_n_groups", "n_groups") or 1
        return mamba2(hidden, heads=heads, width=width, groups=groups, state=state, kernel=kernel)
    rank = config.whole("mamba_dt_rank", "time_step_rank") or -(-hidden // 16)
    return mamba(hidden, inner=inner, state=state, kernel=kernel, rank=rank)
