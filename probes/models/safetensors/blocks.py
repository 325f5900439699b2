"""Models cut down by a search, whose `config.json` describes each block on its own (`block_configs`; Puzzle)."""

from .attention import grouped
from .config import Config
from .feeds import Feed
from .mixer import Mixer


def blocks(config: Config) -> list[tuple[tuple[Mixer, ...], Feed]] | None:
    """Attention and network of each block; None for a model that is not described so."""
    described = config.each("block_configs")
    hidden, heads = config.whole("hidden_size") or 0, config.whole("num_attention_heads") or 0
    if described is None or not hidden or not heads:
        return None
    return [(_attention(block, hidden, heads), _feed(block, hidden)) for block in described[:4096]]


def _attention(block: Config, hidden: int, heads: int) -> tuple[Mixer, ...]:
    own = block.inside("attention")
    group = own.whole("n_heads_in_group") if own else None
    if not own or not group:
        return ()
    width = hidden // heads
    window = own.whole("window_length") or None
    return (grouped(hidden, heads=heads, kv_heads=heads // group, key_width=width, value_width=width, window=window),)


def _feed(block: Config, hidden: int) -> Feed:
    """The width is a share of the usual 8/3 of the hidden size, rounded up to whole 256 (configuration_decilm.py)."""
    own = block.inside("ffn")
    if own is None or own.flag("no_op"):
        return Feed()
    if own.flag("replace_with_linear"):
        return Feed(hidden * hidden)
    share = own.number("ffn_mult")
    width = -(-int(2 * share * hidden / 3) // 256) * 256 if share and share > 0 else own.whole("intermediate_size") or 0
    return Feed(3 * hidden * width)
