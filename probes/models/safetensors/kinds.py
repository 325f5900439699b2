"""Which layer looks back over all tokens, over a window, or keeps a state: as a `config.json` says it.

The keys and their defaults are those of the configuration classes of transformers (`configuration_*.py`).
"""

from typing import Literal

from .config import Config

Kind = Literal["full", "window", "linear", "both", "none"]
"""`both` has attention and a state side by side; `none` has neither, but a feed-forward network alone."""

_LETTERS: dict[str, Kind] = {"M": "linear", "*": "full", "-": "none", "E": "none"}
"""Nemotron-H: Mamba-2, attention, feed-forward network, experts."""
_NONE = {"mlp", "moe", "none"}
_WINDOW = ("sliding", "chunked", "local")
_LINEAR = ("linear", "mamba", "conv", "recurrent", "kda", "lightning", "rwkv", "ssm")
ALL_LINEAR = {"mamba", "mamba2", "falcon_mamba", "rwkv", "rwkv5", "rwkv6", "rwkv7", "xlstm"}
"""Types without attention."""
_ALL_BOTH = {"falcon_h1", "hymba"}


def kinds(config: Config) -> list[Kind]:
    """One kind for each layer; empty if the number of layers is not known."""
    count = config.layers
    pattern = config.text("hybrid_override_pattern")
    names = config.texts("layer_types", "layers_block_type", "block_types")
    if pattern and set(pattern) <= set(_LETTERS):
        return [_LETTERS[letter] for letter in pattern]
    if count is None:
        return []
    if names:
        return [_named(names[layer % len(names)], config) for layer in range(count)]
    if config.type in ALL_LINEAR:
        return ["linear"] * count
    if config.type in _ALL_BOTH:
        return ["both"] * count
    looking = _looking(config, count)
    if looking is not None:
        return ["full" if layer in looking else "linear" for layer in range(count)]
    sliding = _sliding(config, count)
    return ["window" if layer in sliding else "full" for layer in range(count)]


def window(config: Config) -> int | None:
    """Tokens that the layers with a window look back over."""
    if config.flag("use_sliding_window") is False:
        return None
    return config.whole("sliding_window", "sliding_window_size", "attention_chunk_size") or None


def _named(name: str, config: Config) -> Kind:
    if name in _NONE:
        return "none"
    if any(part in name for part in _LINEAR):
        return "linear"
    return "window" if window(config) and any(part in name for part in _WINDOW) else "full"


def _looking(config: Config, count: int) -> set[int] | None:
    """The layers with attention, in a model whose other layers keep a state; None if this is none."""
    listed = config.counts("attn_layer_indices", "full_attn_idxs", "attn_layer_idx")
    if listed is not None:
        return set(listed)
    linear = config.inside("linear_attn_config")
    from_one = linear.counts("full_attn_layers") if linear else None
    if from_one is not None:
        return {layer - 1 for layer in from_one}
    flags = config.counts("attn_type_list")
    if flags is not None:
        return {layer for layer, flag in enumerate(flags) if flag}
    period, offset = config.whole("attn_layer_period"), config.whole("attn_layer_offset") or 0
    if period:
        return {layer for layer in range(count) if layer % period == offset}
    interval = config.whole("full_attention_interval")
    if interval:
        return {layer for layer in range(count) if (layer + 1) % interval == 0}
    return None


def _sliding(config: Config, count: int) -> set[int]:
    """The layers that look back over a window, in a model in which all have attention."""
    flags = config.counts("hybrid_layer_pattern")
    if window(config) is None:
        return set()
    if flags is not None:
        return {layer for layer in range(min(count, len(flags))) if flags[layer]}
    rotated = config.counts("no_rope_layers")
    if rotated is not None:
        return {layer for layer in range(min(count, len(rotated))) if rotated[layer]}
    letters = config.text("sliding_window_pattern")
    if letters:
        return {layer for layer in range(count) if letters[layer % len(letters)] == "L"}
    period = config.whole("sliding_window_pattern", "_sliding_window_pattern", "no_rope_layer_interval")
    if period:
        return {layer for layer in range(count) if (layer + 1) % period != 0}
    first = config.whole("max_window_layers") if config.flag("use_sliding_window") else 0
    return set(range(first or 0, count))
