"""Models: the sizes of their parts, and what a token costs in attention and cache.

Counts are of the language model alone: no vision tower, no layers that predict further tokens. Millions are 1e6.

A month of release is that of the weights, not of an API before them. Since 2024 it is what the catalogues of models.dev
(models/, providers/) and GPUStack (model-catalog.yaml) say, and where they differ or are silent the announcement of the
makers; before that the announcement, the date in the model's own name or the paper, which the dates bound at which
llama.cpp, Ollama, MLX LM and LitGPT took up the model; of embedding models that of mteb. Where these do not settle the
month it is left empty. What a model is made for is what its card says; that it takes images, and that it thinks first,
is checked against models.dev.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from ...probes.sample import ModelFacts
from .formats import Format
from .model_bytes import ModelBytes, bytes_by_part
from .model_names import normalise
from .names import Names
from .table import rows


class CatalogueModel(Struct, frozen=True, kw_only=True):
    """One model, as its makers built it. Unknown is None; what a model does not have is 0."""

    name: str
    family: str
    parameters_m: float
    """All parameters; a tied table counts once."""
    active_m: float
    """Those that one generated token uses: without the input embedding (unless tied) and the experts left alone."""
    embedding_m: float
    head_m: float
    """The output head; the same table as the embedding where they are tied."""
    attention_m: float = 0.0
    dense_m: float = 0.0
    """Feed-forward layers that every token passes."""
    shared_m: float = 0.0
    """Shared experts, and the projections into and out of a latent space that experts work in."""
    expert_m: float = 0.0
    """Routed experts of all layers."""
    mixer_m: float = 0.0
    """Projections of linear attention, state-space and convolution layers."""
    other_m: float = 0.0
    """Norms, routers, biases, short convolutions."""
    lookup_m: float = 0.0
    """Tables of which a token reads one row (per-layer embeddings of the gemma E models)."""
    layers: int
    hidden: int
    heads: int | None = None
    kv_heads: int | None = None
    """Of the layers with the whole context."""
    head_dim: int | None = None
    """Of queries and keys."""
    value_dim: int | None = None
    ffn: int | None = None
    moe_ffn: int | None = None
    ffn_matrices: int = 3
    """Matrices of a feed-forward layer: 3 with a gate, 2 without."""
    vocab: int
    context: int | None = None
    tied: bool
    experts: int = 0
    experts_used: int = 0
    shared_experts: int = 0
    dense_first_layers: int = 0
    attention: str
    """MHA, GQA, MQA, MLA; "hybrid" where other layers stand in between."""
    full_layers: int
    """Attention layers that keep the whole context."""
    window_layers: int = 0
    window: int | None = None
    linear_layers: int = 0
    kv_elements: int
    """Cache elements of a token, summed over the layers with the whole context."""
    kv_window_elements: int = 0
    state_elements: int = 0
    """Elements of the recurrent state of one stream."""
    attention_width: int
    """Query heads x head dimension, summed over the attention layers."""
    window_width: int = 0
    approximate: bool = False
    """True where a count rests on a shape that no public file confirms."""
    source: str
    aliases: tuple[str, ...] = ()
    released: str | None = None
    """When its weights came out, as "2025-04"."""
    tasks: tuple[str, ...] = ()
    """What it is made for.

    One of these always: "chat": instructed, or usually run so; "base": only goes on with a text; "embed": gives a
    vector, never a next token. And where it holds: "code"; "vision": takes images; "reasoning": thinks first unless
    told not to.
    """

    def facts(self, fmt: Format, weight_bytes: float | None = None) -> ModelFacts:
        """What is known of a file of this model in a format.

        Args:
            fmt: the number format; its bits give the bytes of each part.
            weight_bytes: the size of the real file, to which the parts are scaled.
        """
        parts = bytes_by_part(self, fmt)
        if weight_bytes:
            parts = parts.scaled(weight_bytes, fixed_experts=fmt.expert_bits == 4.25)
        return self._facts(fmt, parts)

    def _facts(self, fmt: Format, parts: ModelBytes) -> ModelFacts:
        lost_m = (1.0 - fmt.experts_kept) * self.expert_m
        return ModelFacts(
            name=self.name,
            source="catalogue",
            architecture=self.family,
            quantization=fmt.name,
            context_length=self.context,
            parameters=_count(self.parameters_m - lost_m),
            weight_bytes=round(parts.total),
            embedding_bytes=round(parts.embedding or parts.head),
            embedding_parameters=_count(self.embedding_m),
            tied_embeddings=self.tied,
            unused_bytes=round(parts.lookup),
            unused_parameters=_count(self.lookup_m),
            expert_bytes=round(parts.experts),
            expert_parameters=_count(self.expert_m - lost_m),
            expert_count=round(self.experts * fmt.experts_kept),
            expert_used_count=self.experts_used,
            layers=self.layers,
            linear_layers=self.linear_layers,
            state_elements=self.state_elements,
            hidden_size=self.hidden,
            head_parameters=_count(self.head_m),
            attention_width=self.attention_width,
            window_width=self.window_width,
            kv_elements=self.kv_elements,
            kv_window_elements=self.kv_window_elements,
            kv_window=self.window,
        )


@cache
def models() -> Mapping[str, CatalogueModel]:
    """All models by name."""
    return {row.name: row for row in rows(Path(__file__).with_name("models.csv"), CatalogueModel)}


def model(name: str) -> CatalogueModel:
    """The model that people call so: by its name, a hub id, an Ollama tag or the name of a file.

    Raises:
        UnknownName: no model, or more than one, is called so; the text names the nearest.
    """
    return models()[_names().find(name)]


@cache
def _names() -> Names:
    return Names({row.name: row.aliases for row in models().values()}, "model", normalise=normalise)


def _count(millions: float) -> int:
    return round(millions * 1e6)
