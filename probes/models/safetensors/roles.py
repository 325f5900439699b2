"""What a tensor is for, by its name."""

import re
from typing import Literal

Role = Literal["embedding", "head", "experts", "body", "unused"]

_TOWERS = {
    "aligner", "apm", "audio_encoder", "audio_model", "audio_projection", "audio_projector", "audio_tower", "connector",
    "embed_audio", "embed_vision", "image_newline", "image_projection", "img_projector", "mlp1", "mm_projector",
    "modality_projection", "multi_modal_projector", "patch_merger", "pre_mm_projector_norm", "resampler", "sam_model",
    "speech_encoder", "speech_projector", "talker", "token2wav", "video_tower", "vision", "vision_embed_tokens",
    "vision_encoder", "vision_language_adapter", "vision_model", "vision_proj", "vision_projection", "vision_tower",
    "visual", "vit", "vpm",
}  # fmt: skip
"""Names of the parts that see and hear, and of what joins them to the language model: decoding never reads them."""
_AHEAD = {"mtp", "mtp_block", "mtp_layers", "nextn", "eagle", "eagle_module"}
"""Names of the parts that predict tokens ahead."""
_LOOKUP = {"embed_tokens_per_layer"}
_EMBEDDINGS = {
    "embed_in", "embed_tokens", "embedding", "embeddings", "tok_embeddings", "word_embeddings", "wte", "embed",
}  # fmt: skip
_HEADS = {"embed_out", "head", "lm_head", "output", "output_layer"}
_EXPERTS = re.compile(
    r"\.(?:experts|switch_mlp|switch_glu)(?:\.|$)|block_sparse_moe\.(?:input|output)_linear\.|\.moe\.\w+_proj\."
)
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,6})\.")


def role(name: str, layers: int | None) -> Role:
    """The role of a tensor in a language model of `layers` layers; further ones predict ahead."""
    words = name.split(".")
    seen = set(words)
    if seen & _TOWERS or seen & _AHEAD or seen & _LOOKUP:
        return "unused"
    layer = _LAYER.search(name)
    if layer:
        if layers and int(layer[1]) >= layers:
            return "unused"
        return "experts" if _EXPERTS.search(name) else "body"
    module = words[-2] if len(words) > 1 else words[0]
    if module in _EMBEDDINGS:
        return "embedding"
    return "head" if module in _HEADS else "body"
