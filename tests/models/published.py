"""Values of published `config.json` files, and what is published of the models that they are of.

The values are those of the files on the hub, as they stood in 2026; only keys that say something of the layout are
here. `total` is the count that the hub shows for the weights of a text model, or what the maker states; where a
published count holds a vision tower, too, it is what the class of that model in transformers 5.24 comes to, without
the tower. Elements of the cache are worked out by hand.
"""

from msgspec import Struct

Value = int | float | str | bool | list[int] | list[str] | list[dict[str, object]] | dict[str, object] | None


class Published(Struct, frozen=True, kw_only=True):
    config: dict[str, Value]
    total: float
    """Parameters, in thousand millions."""
    experts: float = 0.0
    """Those of routed experts, in thousand millions: experts x layers x 3 x hidden x inner."""
    layers: int
    linear: int = 0
    cached: int
    """KV elements a token, of layers that keep the whole context."""
    near: int = 0
    """KV elements a token, of layers with a window."""
    window: int | None = None
    state: int = 0
    active: float | None = None
    """Stated active parameters in thousand millions, the input embedding table counted or not."""


def llama_3_1() -> dict[str, Value]:
    return {
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
        "num_hidden_layers": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 131072,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    }  # fmt: skip


MODELS: dict[str, Published] = {
    "Llama-3.1-8B": Published(
        config=llama_3_1(), total=8.030261248, layers=32, cached=32 * 2 * 8 * 128
    ),
    "Qwen3-30B-A3B": Published(
        config={
            "model_type": "qwen3_moe", "head_dim": 128, "hidden_size": 2048, "intermediate_size": 6144,
            "num_attention_heads": 32, "num_hidden_layers": 48, "num_key_value_heads": 4, "vocab_size": 151936,
            "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, "decoder_sparse_step": 1,
            "mlp_only_layers": [], "sliding_window": None, "use_sliding_window": False, "max_window_layers": 48,
            "tie_word_embeddings": False, "torch_dtype": "bfloat16", "max_position_embeddings": 40960,
        },
        total=30.532122624,
        experts=128 * 48 * 3 * 2048 * 768 / 1e9,
        layers=48,
        cached=48 * 2 * 4 * 128,
        active=3.3,
    ),
    "DeepSeek-V3": Published(
        config={
            "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "num_attention_heads": 128,
            "num_hidden_layers": 61, "num_key_value_heads": 128, "vocab_size": 129280, "n_routed_experts": 256,
            "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
            "first_k_dense_replace": 3, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "num_nextn_predict_layers": 1, "tie_word_embeddings": False,
            "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
            "torch_dtype": "bfloat16", "max_position_embeddings": 163840,
        },
        total=671.0,
        experts=256 * 58 * 3 * 7168 * 2048 / 1e9,
        layers=61,
        cached=61 * (512 + 64),
        active=37.0,
    ),
    "gpt-oss-20b": Published(
        config={
            "model_type": "gpt_oss", "head_dim": 64, "hidden_size": 2880, "intermediate_size": 2880,
            "num_attention_heads": 64, "num_hidden_layers": 24, "num_key_value_heads": 8, "num_local_experts": 32,
            "num_experts_per_tok": 4, "vocab_size": 201088, "sliding_window": 128, "attention_bias": True,
            "layer_types": ["sliding_attention", "full_attention"] * 12, "tie_word_embeddings": False,
            "quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]},
        },
        total=20.91,
        experts=32 * 24 * 3 * 2880 * 2880 / 1e9,
        layers=24,
        cached=12 * 2 * 8 * 64,
        near=12 * 2 * 8 * 64,
        window=128,
        active=3.6,
    ),
    "Gemma-3-27b": Published(  # its report (arXiv 2503.19786) counts 1,416 M of embeddings and 25,600 M beside them
        config={
            "model_type": "gemma3",
            "text_config": {
                "model_type": "gemma3_text", "head_dim": 128, "hidden_size": 5376, "intermediate_size": 21504,
                "num_attention_heads": 32, "num_hidden_layers": 62, "num_key_value_heads": 16, "sliding_window": 1024,
            },
            "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27, "model_type": "siglip_vision_model"},
            "torch_dtype": "bfloat16",
        },
        total=27.016,
        layers=62,
        cached=10 * 2 * 16 * 128,
        near=52 * 2 * 16 * 128,
        window=1024,
    ),
    "Qwen3.5-35B-A3B": Published(
        config={
            "model_type": "qwen3_5_moe",
            "text_config": {
                "model_type": "qwen3_5_moe_text", "attn_output_gate": True, "full_attention_interval": 4,
                "head_dim": 256, "hidden_size": 2048, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
                "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
                "moe_intermediate_size": 512, "mtp_num_hidden_layers": 1, "num_attention_heads": 16,
                "num_experts": 256, "num_experts_per_tok": 8, "num_hidden_layers": 40, "num_key_value_heads": 2,
                "shared_expert_intermediate_size": 512, "vocab_size": 248320, "dtype": "bfloat16",
            },
            "tie_word_embeddings": False,
            "vision_config": {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304},
        },
        total=34.660610688,
        experts=256 * 40 * 3 * 2048 * 512 / 1e9,
        layers=40,
        linear=30,
        cached=10 * 2 * 2 * 256,
        state=30 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128)),
        active=3.0,
    ),
    "Mixtral-8x7B": Published(
        config={
            "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
            "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2,
            "sliding_window": None, "vocab_size": 32000, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        },
        total=46.702792704,
        experts=8 * 32 * 3 * 4096 * 14336 / 1e9,
        layers=32,
        cached=32 * 2 * 8 * 128,
        active=12.9,
    ),
    "Llama-4-Scout": Published(
        config={
            "model_type": "llama4",
            "text_config": {
                "model_type": "llama4_text", "attention_chunk_size": 8192, "head_dim": 128, "hidden_size": 5120,
                "interleave_moe_layer_step": 1, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
                "num_attention_heads": 40, "num_experts_per_tok": 1, "num_hidden_layers": 48,
                "num_key_value_heads": 8, "num_local_experts": 16, "vocab_size": 202048, "torch_dtype": "bfloat16",
            },
        },
        total=107.769861120,
        experts=16 * 48 * 3 * 5120 * 8192 / 1e9,
        layers=48,
        cached=12 * 2 * 8 * 128,
        near=36 * 2 * 8 * 128,
        window=8192,
        active=17.0,
    ),
    "Nemotron-H-56B": Published(
        config={
            "model_type": "nemotron_h", "attention_head_dim": 128, "conv_kernel": 4, "expand": 2, "hidden_size": 8192,
            "hybrid_override_pattern": "M-M-M-M*-" + "M-M-M-M-M*-" * 9 + "M-M-M-M-M-", "intermediate_size": 32768,
            "mamba_head_dim": 64, "mamba_num_heads": 256, "mlp_hidden_act": "relu2", "n_groups": 8,
            "num_attention_heads": 64, "num_hidden_layers": 118, "num_key_value_heads": 8, "ssm_state_size": 256,
            "tie_word_embeddings": False, "torch_dtype": "bfloat16", "vocab_size": 131072,
        },
        total=56.324350464,
        layers=118,
        linear=54,
        cached=10 * 2 * 8 * 128,
        state=54 * (256 * 64 * 256 + 3 * (256 * 64 + 2 * 8 * 256)),
    ),
    "Nemotron-3-Nano": Published(
        config={
            "model_type": "nemotron_h", "conv_kernel": 4, "expand": 2, "head_dim": 128, "hidden_size": 2688,
            "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
            "intermediate_size": 1856, "mamba_head_dim": 64, "mamba_num_heads": 64, "mlp_hidden_act": "relu2",
            "moe_intermediate_size": 1856, "moe_shared_expert_intermediate_size": 3712, "n_groups": 8,
            "n_routed_experts": 128, "n_shared_experts": 1, "num_attention_heads": 32, "num_experts_per_tok": 6,
            "num_hidden_layers": 52, "num_key_value_heads": 2, "ssm_state_size": 128, "vocab_size": 131072,
            "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        },
        total=31.6,
        experts=128 * 23 * 2 * 2688 * 1856 / 1e9,
        layers=52,
        linear=23,
        cached=6 * 2 * 2 * 128,
        state=23 * (64 * 64 * 128 + 3 * (64 * 64 + 2 * 8 * 128)),
        active=3.2,
    ),
    "Qwen3-VL-8B": Published(
        config={
            "model_type": "qwen3_vl",
            "text_config": {
                "model_type": "qwen3_vl_text", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 12288,
                "num_attention_heads": 32, "num_hidden_layers": 36, "num_key_value_heads": 8, "vocab_size": 151936,
                "dtype": "bfloat16",
            },
            "tie_word_embeddings": False,
            "vision_config": {"depth": 27, "hidden_size": 1152},
        },
        total=8.190735360,
        layers=36,
        cached=36 * 2 * 8 * 128,
    ),
    "gemma-4-26B-A4B": Published(
        config={
            "model_type": "gemma4",
            "text_config": {
                "model_type": "gemma4_text", "attention_k_eq_v": True, "enable_moe_block": True,
                "global_head_dim": 512, "head_dim": 256, "hidden_size": 2816, "hidden_size_per_layer_input": 0,
                "intermediate_size": 2112, "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 5,
                "moe_intermediate_size": 704, "num_attention_heads": 16, "num_experts": 128,
                "num_global_key_value_heads": 2, "num_hidden_layers": 30, "num_key_value_heads": 8,
                "num_kv_shared_layers": 0, "sliding_window": 1024, "top_k_experts": 8, "vocab_size": 262144,
                "tie_word_embeddings": True, "dtype": "bfloat16",
            },
        },
        total=25.2,
        experts=128 * 30 * 3 * 2816 * 704 / 1e9,
        layers=30,
        cached=5 * 2 * 2 * 512,
        near=25 * 2 * 8 * 256,
        window=1024,
        active=3.8,
    ),
    "MiMo-V2-Flash": Published(
        config={
            "model_type": "mimo_v2_flash", "num_hidden_layers": 48, "hidden_size": 4096, "num_attention_heads": 64,
            "num_key_value_heads": 4, "head_dim": 192, "v_head_dim": 128, "intermediate_size": 16384,
            "vocab_size": 152576, "sliding_window": 128, "swa_num_attention_heads": 64, "swa_num_key_value_heads": 8,
            "swa_head_dim": 192, "swa_v_head_dim": 128, "moe_intermediate_size": 2048, "n_routed_experts": 256,
            "hybrid_layer_pattern": [0, 1, 1, 1, 1, 0] + [1, 1, 1, 1, 1, 0] * 7, "num_experts_per_tok": 8,
            "moe_layer_freq": [0] + [1] * 47, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        },
        total=309.0,
        experts=256 * 47 * 3 * 4096 * 2048 / 1e9,
        layers=48,
        cached=9 * 4 * (192 + 128),
        near=39 * 8 * (192 + 128),
        window=128,
        active=15.0,
    ),
    "Kimi-K2": Published(
        config={
            "model_type": "kimi_k2", "hidden_size": 7168, "intermediate_size": 18432, "num_attention_heads": 64,
            "num_hidden_layers": 61, "num_key_value_heads": 64, "vocab_size": 163840, "n_routed_experts": 384,
            "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
            "first_k_dense_replace": 1, "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        },
        total=1026.408232448,
        experts=384 * 60 * 3 * 7168 * 2048 / 1e9,
        layers=61,
        cached=61 * 576,
        active=32.0,
    ),
}  # fmt: skip
