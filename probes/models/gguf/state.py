"""Layers that keep a state of fixed size: which ones, and how large it is."""

from collections.abc import Set as AbstractSet

from .keys import Keys

_FULL_EVERY = {"minimax-01": 8, "qwen35": 4, "qwen35moe": 4, "qwen3next": 4, "qwen4exp": 4}
"""Architectures in which only the last layer of so many has a cache, unless the file says otherwise (llama.cpp)."""
_MIXERS = ("ssm_", "time_mix_", "shortconv")
"""How the names of their tensors begin."""


def recurrent_layers(keys: Keys) -> list[bool]:
    """For each layer, whether the keys say that it has a state instead of a cache."""
    layers = range(keys.layers or 0)
    flags = keys.flags("attention.recurrent_layers")
    if flags is not None:
        return flags
    interval = keys.of_model("full_attention_interval") or _FULL_EVERY.get(keys.architecture or "")
    return [bool(interval) and (layer + 1) % (interval or 1) != 0 for layer in layers]


def mixing_layers(keys: Keys, names: AbstractSet[str]) -> set[int]:
    """The layers with tensors of such a mixer; some of them have attention beside it."""
    found = (name.split(".", 3) for name in names if name.startswith("blk."))
    layers = {words[1] for words in found if len(words) > 2 and words[2].startswith(_MIXERS)}
    return {int(layer) for layer in layers if layer.isascii() and layer.isdecimal()} & set(range(keys.layers or 0))


def state_elements(keys: Keys) -> int:
    """Elements of the state of one such layer, the last inputs of its convolution included, for one stream.

    The sizes are those that llama.cpp allocates (`n_embd_r` and `n_embd_s` in llama-hparams.cpp). A gated delta net
    is told by the keys of Mamba-2: its inner size is value heads x value width, its state size the key width.
    """
    hidden = keys.of_model("embedding_length") or 0
    inputs = max((keys.of_model("ssm.conv_kernel") or 0) - 1, 0)
    head = keys.of_model("wkv.head_size")
    if head:
        shifts = keys.of_model("token_shift_count")
        return hidden * (head + (2 if shifts is None else shifts))
    kept = keys.of_model("shortconv.l_cache")
    if kept:
        return hidden * (kept - 1)
    width = keys.of_model("kda.head_dim")
    if width:
        heads = keys.of_model("attention.head_count") or 0
        return heads * width * (width + 3 * inputs)
    inner, size = keys.of_model("ssm.inner_size") or 0, keys.of_model("ssm.state_size") or 0
    groups = keys.of_model("ssm.group_count") or 0
    return size * inner + inputs * (inner + 2 * groups * size)
