"""Bytes and FLOPs of a model under a load.

Definitions: weights read per decode step = all weights minus the input embedding table (unless it is tied: then it is
the output head and is read), with k/E of the routed experts; KV read per step = the cache of each running stream;
FLOPs per token = 2 per active weight, and 4 x query width x context for attention. These are those of Pope et al.,
"Efficiently Scaling Transformer Inference" (arXiv 2211.05102), and of the JAX scaling book.
"""

from msgspec import Struct

from ..probes.sample import ModelFacts

F16_BYTES = 2.0


class Load(Struct, frozen=True, kw_only=True):
    """What the engine is doing: how many streams decode together, and how long their contexts are."""

    streams: float = 1.0
    context_tokens: float = 0.0
    """Tokens in the KV cache, summed over the streams."""
    kv_bytes_per_element: float = F16_BYTES


def routed_share(facts: ModelFacts) -> float:
    """The share of the routed experts that one token uses, 0-1; 1 for a dense model."""
    if not facts.expert_count or not facts.expert_used_count:
        return 1.0
    return min(facts.expert_used_count / facts.expert_count, 1.0)


def touched_share(facts: ModelFacts, streams: float) -> float:
    """The share of the routed experts that a step of `streams` tokens touches when each routes on its own, 0-1."""
    missed: float = (1.0 - routed_share(facts)) ** max(streams, 1.0)
    return 1.0 - missed


def weight_bytes_read(facts: ModelFacts, share: float | None = None) -> float | None:
    """Weight bytes that one decode step must read, with `share` of the routed experts (k/E by default).

    None when the file's layout is not known: a size alone does not tell a dense model from a mixture of experts.
    """
    if facts.weight_bytes is None or facts.embedding_bytes is None or facts.tied_embeddings is None:
        return None
    share = routed_share(facts) if share is None else share
    idle = facts.unused_bytes + (1.0 - share) * facts.expert_bytes
    lookup = 0 if facts.tied_embeddings else facts.embedding_bytes
    return facts.weight_bytes - idle - lookup


def active_parameters(facts: ModelFacts) -> int | None:
    """Parameters that one token uses, the input embedding table left out unless it is tied."""
    if facts.parameters is None or facts.embedding_parameters is None or facts.tied_embeddings is None:
        return None
    idle = facts.unused_parameters + (1.0 - routed_share(facts)) * facts.expert_parameters
    lookup = 0 if facts.tied_embeddings else facts.embedding_parameters
    return round(facts.parameters - idle - lookup)


def kv_bytes_read(facts: ModelFacts, load: Load) -> float | None:
    """KV cache bytes that one decode step of all streams must read; None when the layout is not known."""
    if facts.kv_elements is None:
        return None
    elements = facts.kv_elements * load.context_tokens
    if facts.kv_window_elements:
        mean = load.context_tokens / max(load.streams, 1.0)
        window = min(mean, facts.kv_window or mean)
        elements += facts.kv_window_elements * window * max(load.streams, 1.0)
    return elements * load.kv_bytes_per_element


STATE_BYTES = 4.0
"""Bytes an element of a recurrent state: engines keep it in 32 bit."""


def state_bytes(facts: ModelFacts) -> float:
    """Bytes that a step reads and writes of the recurrent state of one stream."""
    return 2.0 * STATE_BYTES * facts.state_elements


def attention_flops(facts: ModelFacts, tokens: float, before: float = 0.0) -> float:
    """FLOPs of attention for `tokens` new tokens behind `before` cached ones: 4 x query width x tokens looked at.

    A token in the middle of the prompt looks at half of it; layers with a window look at no more than the window.
    """
    seen = before + tokens / 2.0
    full = max((facts.attention_width or 0) - facts.window_width, 0)
    window = min(seen, facts.kv_window or seen)
    return 4.0 * tokens * (full * seen + facts.window_width * window)


def decode_flops(facts: ModelFacts, load: Load) -> float | None:
    """FLOPs of one decode step of all streams."""
    active = active_parameters(facts)
    if active is None:
        return None
    return 2.0 * active * load.streams + 4.0 * (facts.attention_width or 0) * load.context_tokens


def prefill_flops(facts: ModelFacts, tokens: float = 1.0) -> float | None:
    """FLOPs of one prompt token in a prompt of `tokens`; the output head is left out, it runs once a prompt."""
    active = active_parameters(facts)
    if active is None:
        return None
    return 2.0 * (active - (facts.head_parameters or 0)) + 4.0 * (facts.attention_width or 0) * tokens / 2
