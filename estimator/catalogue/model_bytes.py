"""Bytes of the parts of a model in a number format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from .formats import Format
    from .models import CatalogueModel

_M_BITS = 1e6 / 8.0
_LEAST_BITS, _MOST_BITS = 4.0, 16.0
"""Between these the weights beside 4-bit experts must lie; else the file is no such mixture."""


class ModelBytes(Struct, frozen=True, kw_only=True):
    """Bytes of each part. A tied table is the head, and the embedding is 0."""

    embedding: float
    head: float
    experts: float
    body: float
    """All else that each token reads."""
    lookup: float
    rest_parameters: float
    """Parameters of all but the routed experts."""

    @property
    def total(self) -> float:
        """Bytes of the file without its header."""
        return self.embedding + self.head + self.experts + self.body + self.lookup

    def scaled(self, weight_bytes: float, *, fixed_experts: bool = False) -> ModelBytes:
        """The same parts in a file of `weight_bytes`.

        Args:
            weight_bytes: what they sum to.
            fixed_experts: the experts keep their size and the other parts take the difference, as far as that leaves
                them a size that weights can have.
        """
        rest = weight_bytes - self.experts
        if fixed_experts and self.experts and _LEAST_BITS <= 8.0 * rest / self.rest_parameters <= _MOST_BITS:
            return self._times(rest / (self.total - self.experts), 1.0)
        factor = weight_bytes / self.total
        return self._times(factor, factor)

    def _times(self, rest: float, experts: float) -> ModelBytes:
        return ModelBytes(
            embedding=self.embedding * rest,
            head=self.head * rest,
            experts=self.experts * experts,
            body=self.body * rest,
            lookup=self.lookup * rest,
            rest_parameters=self.rest_parameters,
        )


def bytes_by_part(model: CatalogueModel, fmt: Format) -> ModelBytes:
    """Parameters x bits of each part.

    The input embedding has bits of its own; a tied table has those of the head, as llama.cpp stores it.
    """
    expert_bits = fmt.expert_bits or fmt.matrix_bits(model.hidden)
    down_bits = fmt.down_projection_bits(model.moe_ffn or 256)
    if fmt.expert_bits and fmt.down_bits is None and fmt.narrow_down_bits is None:
        down_bits = fmt.expert_bits
    mixed_bits = ((model.ffn_matrices - 1) * expert_bits + down_bits) / model.ffn_matrices
    beside = _beside(model, fmt)
    body = (
        model.attention_m * _attention_bits(model, fmt)
        + (model.dense_m + model.shared_m) * _dense_bits(model, fmt)
        + model.mixer_m * (beside or fmt.mixer_bits or fmt.matrix_bits(model.hidden))
        + model.other_m * fmt.other_bits
    )
    return ModelBytes(
        embedding=0.0 if model.tied else model.embedding_m * fmt.embedding_bits * _M_BITS,
        head=model.head_m * fmt.head_bits * _M_BITS,
        experts=model.expert_m * fmt.experts_kept * mixed_bits * _M_BITS,
        body=body * _M_BITS,
        lookup=model.lookup_m * (fmt.head_bits if model.tied else fmt.embedding_bits) * _M_BITS,
        rest_parameters=(model.parameters_m - model.expert_m) * 1e6,
    )


def _beside(model: CatalogueModel, fmt: Format) -> float | None:
    return fmt.beside_bits if model.experts else None


def _attention_bits(model: CatalogueModel, fmt: Format) -> float:
    """Mean over the projections; keys and values of latent attention count as common matrices."""
    beside = _beside(model, fmt)
    if beside is not None:
        return beside
    bits = fmt.matrix_bits(model.hidden)
    layers = model.full_layers + model.window_layers
    if not model.attention_m or not model.heads or not model.kv_heads or not model.value_dim or not layers:
        return bits
    each_m = model.hidden * model.value_dim * layers / 1e6 / model.attention_m
    value = 0.0 if model.attention == "MLA" else each_m * model.kv_heads * ((fmt.value_bits or bits) - bits)
    return bits + value + each_m * model.heads * ((fmt.output_bits or bits) - bits)


def _dense_bits(model: CatalogueModel, fmt: Format) -> float:
    beside = _beside(model, fmt)
    if beside is not None:
        return beside
    others = model.ffn_matrices - 1
    down = fmt.down_projection_bits(model.ffn or model.moe_ffn or 256)
    return (others * fmt.matrix_bits(model.hidden) + down) / model.ffn_matrices
