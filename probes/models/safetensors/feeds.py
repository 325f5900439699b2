"""Feed-forward networks, dense or of experts: how many parameters a layer has beside its attention."""

from msgspec import Struct

from .config import Config

_UNGATED = {
    "apertus", "arcee", "bloom", "codegen", "falcon", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox",
    "gpt_neox_japanese", "gptj", "jais2", "mpt", "nanochat", "nemotron", "nemotron_h", "opt", "persimmon", "phi",
    "starcoder2", "xglm",
}  # fmt: skip
"""Types with two matrices, not three: the others gate one with another."""
EXPERTS = (
    "num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts", "num_routed_experts",
)  # fmt: skip
"""Names of the number of routed experts of a layer."""
USED = (
    "num_experts_per_tok", "num_experts_per_token", "moe_top_k", "experts_per_token", "top_k_experts", "moe_topk",
    "moe_k", "num_selected_experts", "num_activated_experts",
)  # fmt: skip
"""Names of the number of experts that a token uses."""
_SHARED = ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert")
_SHARED_WIDTH = (
    "shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "share_expert_dim",
    "shared_intermediate_size",
)  # fmt: skip


class Feed(Struct, frozen=True):
    """Parameters of one layer's network."""

    parameters: int = 0
    """Those that each token uses: dense, shared experts, router."""
    expert_parameters: int = 0
    """Those of all routed experts."""


def feed(config: Config, layer: int, letter: str = "") -> Feed:
    """The network of one layer; `letter` is that of a hybrid pattern, in which each layer does one thing."""
    hidden = config.whole("hidden_size", "n_embd", "d_model") or 0
    if letter in {"M", "*"}:
        return Feed()
    if letter == "E" or (letter != "-" and _has_experts(config, layer)):
        routed = _routed(config, hidden)
        dense = _dense(config, hidden, layer) if config.flag("enable_moe_block") else 0
        return Feed(routed.parameters + dense, routed.expert_parameters)
    return Feed(_dense(config, hidden, layer))


def _has_experts(config: Config, layer: int) -> bool:
    if not config.whole(*EXPERTS) or config.flag("enable_moe_block") is False:
        return False
    kinds = config.texts("mlp_layer_types")
    if kinds:
        return layer < len(kinds) and (kinds[layer] == "sparse" or "moe" in kinds[layer])
    listed = _listed(config)
    if listed is not None:
        return layer in listed
    period = config.whole("expert_layer_period")
    if period:
        return layer % period == (config.whole("expert_layer_offset") or 0)
    first = config.whole("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers") or 0
    last = config.whole("moe_layer_end_index")
    step = config.whole("decoder_sparse_step", "interleave_moe_layer_step") or 1
    every = config.whole("moe_layer_freq", "moe_layer_interval") or 1
    inside = layer >= first and (last is None or layer <= last)
    dense = config.counts("mlp_only_layers") or []
    return inside and layer % every == 0 and (layer + 1) % step == 0 and layer not in dense


def _listed(config: Config) -> set[int] | None:
    flags = config.counts("moe_layer_freq")
    if flags is not None:
        return {layer for layer, flag in enumerate(flags) if flag}
    numbers = config.counts("moe_layers")
    if numbers is not None:
        return set(numbers)
    words = config.text("moe_layers_enum")
    return {int(word) for word in words.split(",") if word.isascii() and word.strip().isdecimal()} if words else None


def _dense(config: Config, hidden: int, layer: int) -> int:
    first = ("shared_intermediate_size",) if config.type.startswith("granitemoe") else ()
    names = (*first, "dense_intermediate_size", "intermediate_size_mlp", "intermediate_size", "ffn_hidden_size")
    width = config.nth(layer, *names, "n_inner", "ffn_dim") or 4 * hidden
    if config.flag("block_auto_adjust_ff_dim"):
        multiple = config.whole("block_multiple_of") or 256
        width = int((config.number("block_ffn_dim_multiplier") or 1.0) * int(2 * width / 3))
        width = -(-width // multiple) * multiple
    if config.flag("use_double_wide_mlp") and config.borrows(layer):
        width *= 2
    return _matrices(config) * hidden * width


def _routed(config: Config, hidden: int) -> Feed:
    """Experts may work in a narrower space than the rest, behind a projection in and one out."""
    count = config.whole(*EXPERTS) or 0
    width = (
        config.whole(
            "moe_intermediate_size",
            "expert_ffn_hidden_size",
            "moe_ffn_hidden_size",
            "intermediate_size",
            "ffn_hidden_size",
        )
        or 0
    )
    inner = config.whole("moe_latent_size", "routed_expert_hidden_size")
    shared = config.whole(*_SHARED_WIDTH) or (config.whole(*_SHARED) or 0) * width
    if config.type.startswith("llama4"):
        shared = width
    used = hidden * count + _matrices(config) * hidden * shared + (2 * hidden * inner if inner else 0)
    return Feed(used, count * _matrices(config) * (inner or hidden) * width)


def _matrices(config: Config) -> int:
    return 2 if config.type in _UNGATED else 3
