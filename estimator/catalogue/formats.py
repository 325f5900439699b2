"""Number formats: how many bits a weight takes in each part of a file, and an element in the KV cache.

A file type of llama.cpp is a mixture: most matrices have one tensor type, some (half of the down projections in Q4_K_M)
have more bits. The table holds means over the layers, as src/llama-quant.cpp of llama.cpp chooses them.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from .names import Names, UnknownName, plain
from .table import rows

KINDS = (
    "32-bit",
    "16-bit",
    "8-bit",
    "fp8",
    "4-bit legacy",
    "int4",
    "k-quant",
    "i-quant",
    "ternary",
    "exl",
)
"""Formats of one kind share the kernels, and so the work that a weight makes in the cores."""
_EXL_HEAD_BITS = 6.0
"""What exllamav2 and exllamav3 give the output head unless they are told otherwise."""
_BITS = re.compile(r"(?:^|[^\d.])(\d{1,2}(?:\.\d{1,3})?) ?bpw(?![a-z\d])", re.ASCII)


class Format(Struct, frozen=True, kw_only=True):
    """Bits per weight by part of the model. A part whose bits are None has those of `bits`."""

    name: str
    kind: str
    bits: float
    """Of most matrices, with scales and zeros."""
    source: str
    aliases: tuple[str, ...] = ()
    down_bits: float | None = None
    """Of the down projections, dense and expert."""
    value_bits: float | None = None
    """Of the value projections of attention."""
    output_bits: float | None = None
    """Of the output projections of attention."""
    expert_bits: float | None = None
    """Of the gate and up projections of routed experts."""
    beside_bits: float | None = None
    """Of all that stands beside routed experts: attention, shared experts, dense layers."""
    mixer_bits: float | None = None
    """Of linear attention and state-space layers."""
    narrow_bits: float | None = None
    """Instead of `bits` where rows are no multiple of 256 long, which blocks of 256 do not fit."""
    narrow_down_bits: float | None = None
    embedding_bits: float = 16.0
    """Of the input embedding table when it is not tied."""
    head_bits: float = 16.0
    """Of the output head, and of the one table that is both."""
    other_bits: float = 16.0
    """Of norms, routers and biases."""
    group: int | None = None
    """Weights that share a scale; None for one scale per channel or tensor, or none at all."""
    experts_kept: float = 1.0
    """The share of the routed experts that is left, 0-1."""
    approximate: bool = False
    """True where the mixture is chosen for each model, so that a file may differ by several per cent."""

    def matrix_bits(self, columns: int) -> float:
        """Bits per weight of a common matrix with rows of `columns` weights."""
        return self.narrow_bits if self.narrow_bits is not None and columns % 256 else self.bits

    def down_projection_bits(self, columns: int) -> float:
        """Bits per weight of a down projection, whose rows are as long as the feed-forward layer is wide."""
        if self.narrow_down_bits is not None and columns % 256:
            return self.narrow_down_bits
        return self.bits if self.down_bits is None else self.down_bits


class KvFormat(Struct, frozen=True, kw_only=True):
    """How one element of the KV cache is stored."""

    name: str
    bits: float
    source: str
    aliases: tuple[str, ...] = ()

    @property
    def bytes(self) -> float:
        """Bytes of one element, its share of the scale included."""
        return self.bits / 8.0


@cache
def formats() -> Mapping[str, Format]:
    """All formats by name."""
    return {row.name: row for row in rows(Path(__file__).with_name("formats.csv"), Format)}


@cache
def kv_formats() -> Mapping[str, KvFormat]:
    """All formats of the KV cache by name."""
    return {row.name: row for row in rows(Path(__file__).with_name("kv_formats.csv"), KvFormat)}


def format(name: str) -> Format:  # noqa: A001 - the noun of this module
    """The format that people call so: "Q4_K_M", "awq-int4", "exl3-4.0bpw-mul1", "3.5bpw".

    Raises:
        UnknownName: no format, or more than one, is called so.
    """
    try:
        return formats()[_names().find(name)]
    except UnknownName:
        found = _by_bits(name)
        if found is None:
            raise
        return found


def kv_format(name: str) -> KvFormat:
    """The format of a KV cache, as --cache-type-k of llama.cpp and --kv-cache-dtype of vLLM call it.

    Raises:
        UnknownName: none is called so.
    """
    return kv_formats()[_kv_names().find(name)]


def _by_bits(name: str) -> Format | None:
    """Formats of exllama say their mean bits per weight in the name; the embedding table stays 16 bit."""
    bits = _BITS.findall(name.lower())
    if len(bits) != 1 or not 1.0 <= float(bits[0]) <= 16.0:
        return None
    return Format(
        name=name,
        kind="exl",
        bits=float(bits[0]),
        head_bits=_EXL_HEAD_BITS,
        source="the bits per weight in the name",
    )


def _normalise(name: str) -> str:
    """Without the words that say where the file comes from: "gguf-q4_k_m", "UD-IQ2_XXS"."""
    words = plain(name).split()
    return " ".join([word for word in words if word not in {"gguf", "ud"}] or words)


@cache
def _names() -> Names:
    return Names({row.name: row.aliases for row in formats().values()}, "number format", normalise=_normalise)


@cache
def _kv_names() -> Names:
    return Names({row.name: row.aliases for row in kv_formats().values()}, "KV cache format")
