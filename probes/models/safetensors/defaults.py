"""What a `config.json` may leave out, by the type of its model.

Configurations of models that also see are often saved without what equals the default of their family. The values
are those of the configuration classes of the library transformers, 5.24 (`configuration_*.py`).
"""

SIZES = frozenset(
    (
        *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
        *("head_dim", "vocab_size", "num_local_experts"),
    )
)
"""Those of the keys that say how large a model is."""
_LLAMA = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
}
_GEMMA = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "tie_word_embeddings": True}

DEFAULTS: dict[str, dict[str, int | bool]] = {
    "llama": _LLAMA,
    "mistral": _LLAMA | {"intermediate_size": 14336, "num_key_value_heads": 8, "max_position_embeddings": 131072},
    "mixtral": _LLAMA | {"intermediate_size": 14336, "num_key_value_heads": 8, "num_local_experts": 8},
    "gemma": {"tie_word_embeddings": True, "head_dim": 256},
    "gemma2": _GEMMA | {"vocab_size": 256000, "sliding_window": 4096, "sliding_window_pattern": 2},
    "gemma3_text": _GEMMA
    | {
        "vocab_size": 262208,
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "num_hidden_layers": 26,
        "sliding_window": 4096,
        "sliding_window_pattern": 6,
        "max_position_embeddings": 131072,
    },
    "gemma3n_text": _GEMMA | {"vocab_size": 262400, "num_key_value_heads": 2, "sliding_window": 512},
    "gemma4_text": _GEMMA
    | {"vocab_size": 262144, "sliding_window": 512, "sliding_window_pattern": 6, "global_head_dim": 512},
    "cohere": {"tie_word_embeddings": True},
    "cohere2": {"tie_word_embeddings": True, "sliding_window_pattern": 4},
    "lfm2": {"tie_word_embeddings": True},
    "falcon": {"tie_word_embeddings": True},
    "gpt2": {"tie_word_embeddings": True},
    "gpt_oss": {"attention_bias": True, "sliding_window_pattern": 2},
    "llama4_text": {"no_rope_layer_interval": 4, "interleave_moe_layer_step": 1, "attention_chunk_size": 8192},
    "qwen3_next": {"full_attention_interval": 4},
    "qwen3_5_text": {"full_attention_interval": 4},
    "qwen3_5_moe_text": {"full_attention_interval": 4},
    "jamba": {
        "attn_layer_period": 8,
        "attn_layer_offset": 4,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "mamba_d_state": 16,
        "mamba_d_conv": 4,
        "mamba_expand": 2,
    },
}
"""By `model_type`, then by key."""
