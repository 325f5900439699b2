"""The sizes in a `config.json`: what is there and makes no sense is refused, not replaced by a default."""

from .config import MOST_LAYERS, Config
from .feeds import EXPERTS, USED
from .kinds import ALL_LINEAR
from .mixers import HEADS, KV_HEADS
from .objects import BEYOND, Scalar

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_HIDDEN = ("hidden_size", "n_embd", "d_model")
_VOCABULARY = ("vocab_size", "padded_vocab_size")
_OTHERS = (
    *KV_HEADS, *EXPERTS, *USED, "head_dim", "attention_head_dim", "kv_channels", "v_head_dim", "qk_nope_head_dim",
    "qk_rope_head_dim", "kv_lora_rank", "q_lora_rank", "intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim",
    "moe_intermediate_size",
)  # fmt: skip
"""Sizes that may be 0, where a model has no such part."""
_MOST = 1 << 24
"""No model has more of anything; the largest vocabularies have some 2^18 entries."""


def check(config: Config) -> None:
    """Looks at all sizes that are there, here and around.

    Raises:
        BadModelFile: one is no whole number, or beyond all sense.
    """
    heads = () if config.type in ALL_LINEAR else (*HEADS, *KV_HEADS)
    for name, value in config.written(*_LAYERS, *_HIDDEN, *_VOCABULARY, *HEADS, *_OTHERS):
        least = 1 if name in {*_HIDDEN, *_VOCABULARY, *heads} else 0
        most = MOST_LAYERS if name in _LAYERS else _MOST
        fits = _are_sizes(value, most) if isinstance(value, list) else _is_size(value, least, most)
        if not fits:
            raise config.fail(f"{name} is {_shown(value)}: no size between {least} and {most}")


def _are_sizes(values: list[Scalar], most: int) -> bool:
    """One for each layer; a layer may have none."""
    return all(value is None or _is_size(value, 0, most) for value in values[:MOST_LAYERS])


def _is_size(value: Scalar, least: int, most: int) -> bool:
    if isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return least <= value <= most and value == int(value)


def _shown(value: Scalar | list[Scalar]) -> str:
    return "no number" if value is None or value == BEYOND else repr(value)[:40]
