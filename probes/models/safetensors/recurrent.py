"""Layers that keep a state of fixed size instead of a cache: linear attention, state-space models, convolutions."""

from .mixer import Mixer


def delta_net(hidden: int, *, key_heads: int, value_heads: int, key_width: int, value_width: int, kernel: int) -> Mixer:
    """A gated delta net (arXiv 2412.06464), as Qwen3-Next has it."""
    keys, values = key_heads * key_width, value_heads * value_width
    mixed = 2 * keys + values
    inward = hidden * (mixed + values + 2 * value_heads)
    return Mixer(
        parameters=inward + mixed * kernel + values * hidden + 2 * value_heads + value_width,
        state=value_heads * key_width * value_width + max(kernel - 1, 0) * mixed,
    )


def kimi_delta(hidden: int, *, heads: int, width: int, kernel: int, has_full_gate: bool) -> Mixer:
    """Kimi delta attention (arXiv 2510.26692): queries, keys and values each with a convolution, gates of low rank."""
    inner = heads * width
    low_rank = hidden * width + width * inner
    gate = hidden * inner if has_full_gate else low_rank
    rest = hidden * heads + heads + inner + width
    return Mixer(
        parameters=3 * inner * (hidden + kernel) + low_rank + gate + rest + inner * hidden,
        state=heads * width * width + max(kernel - 1, 0) * 3 * inner,
    )


def mamba(hidden: int, *, inner: int, state: int, kernel: int, rank: int) -> Mixer:
    """Mamba (arXiv 2312.00752); `rank` is that of the time step."""
    step = inner * (rank + 2 * state) + rank * inner + inner
    return Mixer(
        parameters=3 * hidden * inner + inner * (kernel + 1) + step + inner * (state + 1),
        state=inner * (state + max(kernel - 1, 0)),
    )


def mamba2(hidden: int, *, heads: int, width: int, groups: int, state: int, kernel: int) -> Mixer:
    """Mamba-2 (arXiv 2405.21060)."""
    inner = heads * width
    mixed = inner + 2 * groups * state
    return Mixer(
        parameters=hidden * (inner + mixed + heads) + mixed * (kernel + 1) + 3 * heads + inner + inner * hidden,
        state=inner * state + max(kernel - 1, 0) * mixed,
    )


def lightning(hidden: int, *, heads: int, width: int) -> Mixer:
    """Lightning attention (arXiv 2401.04658), as MiniMax-01 has it: with a gate for the output."""
    inner = heads * width
    return Mixer(parameters=5 * hidden * inner + inner, state=heads * width * width)


def short_convolution(hidden: int, *, kernel: int) -> Mixer:
    """The gated convolution of LFM2 (arXiv 2511.23404)."""
    return Mixer(parameters=4 * hidden * hidden + hidden * kernel, state=hidden * max(kernel - 1, 0))
