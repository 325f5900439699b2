"""What attention costs: how wide it is, and what each token leaves in the KV cache."""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from .keys import Keys
from .state import mixing_layers, recurrent_layers
from .windows import windows

_WITH_CACHE = {"gemma3n": 20}
"""Layers, from the first one, that have a cache of their own; the others look into those (llama.cpp)."""
_CACHED = ("attn_k", "attn_qkv", "attn_kv", "attn_kv_a_mqa", "attn_k_b")
_OWN_KEYS = ("attn_k", "attn_kv", "attn_kv_a_mqa", "attn_k_b")


class Attention(Struct, frozen=True, kw_only=True):
    """Sums over the layers. None where the header does not tell."""

    width: int | None = None
    window_width: int = 0
    elements: int | None = None
    window_elements: int = 0
    window: int | None = None
    linear_layers: int = 0
    """Layers that keep a state and have no cache."""
    state_layers: int = 0
    """Layers that keep a state, with a cache beside it or not."""
    remarks: tuple[str, ...] = ()


def attention(keys: Keys, names: AbstractSet[str]) -> Attention:
    """Reads the layout of attention from the keys and the names of the tensors."""
    heads = keys.each("attention.head_count")
    mixing = mixing_layers(keys, names)
    if keys.layers is None or heads is None:
        is_recurrent = _is_recurrent(names)
        return Attention(elements=0 if is_recurrent else None, linear_layers=len(mixing), state_layers=len(mixing))
    head_width = (keys.of_model("embedding_length") or 0) // max(max(heads, default=0), 1)
    key_width = keys.of_model("attention.key_length") or head_width
    value_width = keys.of_model("attention.value_length") or head_width
    window, windowed, remark = windows(keys)
    key_window_width = keys.of_model("attention.key_length_swa") or key_width
    value_window_width = keys.of_model("attention.value_length_swa") or value_width
    kv_heads = keys.each("attention.head_count_kv") or heads
    latent = (keys.of_model("attention.kv_lora_rank") or 0) and _latent(keys)
    query_width = keys.of_model("attention.key_length_mla")
    with_cache = _layers_with_cache(keys)
    attending = _attending(keys, kv_heads, names, mixing)
    keeping = mixing | {layer for layer, flag in enumerate(recurrent_layers(keys)) if flag}
    widths, elements = [0, 0], [0, 0]
    for layer in attending:
        slides = windowed[layer]
        widths[slides] += heads[layer] * (query_width or (key_window_width if slides else key_width))
        if layer < with_cache:
            pair = key_window_width + value_window_width if slides else key_width + value_width
            elements[slides] += latent or kv_heads[layer] * pair
    return Attention(
        width=sum(widths),
        window_width=widths[True],
        elements=elements[False],
        window_elements=elements[True],
        window=window if elements[True] else None,
        linear_layers=len(keeping - set(attending)),
        state_layers=len(keeping),
        remarks=(remark,) if remark and elements[True] else (),
    )


def _attending(keys: Keys, kv_heads: list[int], names: AbstractSet[str], mixing: AbstractSet[int]) -> list[int]:
    """The layers with attention over a cache; recurrent layers have none."""
    recurrent = recurrent_layers(keys)
    return [
        layer
        for layer in range(keys.layers or 0)
        if kv_heads[layer] and not recurrent[layer] and _has(names, layer, _OWN_KEYS if layer in mixing else _CACHED)
    ]


def _has(names: AbstractSet[str], layer: int, kinds: tuple[str, ...]) -> bool:
    return any(f"blk.{layer}.{kind}.weight" in names for kind in kinds)


def _is_recurrent(names: AbstractSet[str]) -> bool:
    return any(".ssm_" in name or ".time_mix_" in name for name in names)


def _latent(keys: Keys) -> int:
    """Elements that one layer of latent attention keeps for a token: the compressed pair and the rotated key."""
    return (keys.of_model("attention.kv_lora_rank") or 0) + (keys.of_model("rope.dimension_count") or 0)


def _layers_with_cache(keys: Keys) -> int:
    shared = keys.of_model("attention.shared_kv_layers")
    if shared is not None and keys.all_layers is not None:
        return keys.all_layers - shared
    return _WITH_CACHE.get(keys.architecture or "", keys.layers or 0)
