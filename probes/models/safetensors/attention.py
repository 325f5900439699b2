"""Mixers that look back over a cache."""

from .mixer import Mixer


def grouped(
    hidden: int,
    *,
    heads: int,
    kv_heads: int,
    key_width: int,
    value_width: int,
    window: int | None = None,
    borrows: bool = False,
    is_gated: bool = False,
    value_is_key: bool = False,
    has_bias: bool = False,
) -> Mixer:
    """Attention with heads of its own, some of which may share keys and values (MHA, GQA, MQA).

    Args:
        hidden: width of the residual stream.
        heads: query heads.
        kv_heads: heads of keys and values.
        key_width: elements of one head's query and key.
        value_width: elements of one head's value.
        window: tokens that it looks back over; None for all.
        borrows: it looks into the cache of an earlier layer, and has no keys and values of its own.
        is_gated: the query projection makes a gate for the output, too.
        value_is_key: one projection makes both; the cache holds both all the same.
        has_bias: the projections have one.
    """
    asked = heads * key_width * (2 if is_gated else 1)
    kept = 0 if borrows else kv_heads * (key_width + (0 if value_is_key else value_width))
    bias = asked + kept + hidden if has_bias else 0
    return Mixer(
        parameters=hidden * (asked + kept) + heads * value_width * hidden + bias,
        width=heads * key_width,
        cached=0 if borrows else kv_heads * (key_width + value_width),
        window=window,
    )


def latent(
    hidden: int,
    *,
    heads: int,
    rank: int,
    query_rank: int,
    plain_width: int,
    rotated_width: int,
    value_width: int,
    index_heads: int = 0,
    index_width: int = 0,
    is_gated: bool = False,
) -> Mixer:
    """Attention over a compressed pair of key and value that all heads share (MLA; DeepSeek-V2, arXiv 2405.04434).

    Args:
        hidden: width of the residual stream.
        heads: query heads.
        rank: elements of the compressed pair.
        query_rank: inner width of the query projection; 0 where it has none.
        plain_width: elements of one head's query and key that are not rotated.
        rotated_width: those that are; the rotated key is shared.
        value_width: elements of one head's value.
        index_heads: heads of the index that picks the tokens to look at (DeepSeek-V3.2); 0 without one.
        index_width: elements of its queries, and of its key, which is kept, too.
        is_gated: a gate as wide as the values stands before the output.
    """
    source, width = query_rank or hidden, heads * (plain_width + rotated_width)
    query = source * width + (hidden + 1) * query_rank
    pair = hidden * (rank + rotated_width) + rank + rank * heads * (plain_width + value_width)
    out = heads * value_width * hidden * (2 if is_gated else 1)
    index = source * index_heads * index_width + hidden * (index_heads + index_width) if index_heads else 0
    return Mixer(
        parameters=query + pair + out + index,
        width=width,
        cached=rank + rotated_width + (index_width if index_heads else 0),
    )


def compressed(
    hidden: int,
    *,
    heads: int,
    width: int,
    query_rank: int,
    out_rank: int,
    groups: int,
    window: int | None,
    ratio: int,
    index_heads: int,
    index_width: int,
) -> tuple[Mixer, ...]:
    """Attention over a window, and beside it over one entry for each `ratio` tokens of all (DeepSeek-V4).

    Key and value are one vector for all heads. Entries of few tokens overlap, are made by projections of twice the
    width, and are picked by an index that is made the same way (modeling_deepseek_v4.py of transformers).
    """
    own = query_rank * (hidden + heads * width) + hidden * width
    own += heads * width * out_rank + groups * out_rank * hidden
    near = Mixer(parameters=own, width=heads * width, cached=width, window=window)
    if not ratio:
        return (near,)
    is_fine = ratio < 16
    made = 2 * hidden * width * (2 if is_fine else 1)
    index = 4 * hidden * index_width + query_rank * index_heads * index_width + hidden * index_heads
    kept = width + (index_width if is_fine else 0)
    return near, Mixer(parameters=made + (index if is_fine else 0), width=heads * width // ratio, cached=kept // ratio)
