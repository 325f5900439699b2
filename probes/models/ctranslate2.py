"""Folders of CTranslate2: the tensors of `model.bin` by their part in it."""

import re
from collections import Counter
from pathlib import Path

from msgspec import structs

from ..sample import ModelFacts
from .ctranslate2_table import Table, Tensor, table

_WEIGHTS = "model.bin"
_MAGIC_BYTES = 6
_LONGEST_NAME = 64
_EMBEDDING = "decoder/embeddings/weight"
_HEAD = "decoder/projection/weight"
_SCALES = ("_scale", "_zero")
_LAYER = re.compile(r"decoder/(layer_\d+)/")
_PACKED = 8
"""Weights of 4 bits in an element of 32 (AWQ)."""


def parts(path: Path) -> list[Path]:
    """The weights of a folder, if they are of this format."""
    weights = path if path.name == _WEIGHTS else path / _WEIGHTS
    if not weights.is_file() or not (weights.parent / "config.json").is_file():
        return []
    return [weights] if _specification(weights) else []


def read(path: Path) -> ModelFacts:
    """The facts of a decoder; of other kinds (Whisper, translation), and of older files, the size and the kind alone.

    Raises:
        OSError: it cannot be read.
        BadModelFile: its table is broken.
    """
    weights = path if path.name == _WEIGHTS else path / _WEIGHTS
    known = ModelFacts(
        name="".join(filter(str.isprintable, weights.parent.resolve().name)),
        source="CTranslate2 model.bin: its size alone",
        path=str(path),
        architecture=_specification(weights),
        weight_bytes=weights.stat().st_size,
    )
    found = table(weights)
    if found is None or _EMBEDDING not in found.tensors or any(name.startswith("encoder/") for name in found.tensors):
        return known
    return _decoder(found, known)


def _decoder(found: Table, known: ModelFacts) -> ModelFacts:
    """Of a model that only decodes, all of whose tensors but the input embedding are read for each token."""
    tied = found.aliases.get(_HEAD) == _EMBEDDING
    embedding = found.tensors[_EMBEDDING]
    head = found.tensors.get(_HEAD)
    layers = {layer[1] for name in found.tensors if (layer := _LAYER.match(name))}
    attention = [_attention(found, layer) for layer in layers]
    types = Counter[str]()
    for name, tensor in found.tensors.items():
        if len(tensor.shape) > 1 and not name.endswith(_SCALES):
            types[tensor.type] += tensor.elements
    window = found.tensors.get("decoder/sliding_window")
    width = sum(read for _, read in attention)
    facts = structs.replace(
        known,
        source="CTranslate2 model.bin",
        quantization="INT4" if types.most_common(1)[0][0] == "INT32" else types.most_common(1)[0][0],
        parameters=sum(_parameters(name, tensor) for name, tensor in found.tensors.items()),
        weight_bytes=sum(tensor.size_bytes for tensor in found.tensors.values()),
        embedding_bytes=sum(found.tensors[name].size_bytes for name in found.tensors if name.startswith(_EMBEDDING)),
        embedding_parameters=_parameters(_EMBEDDING, embedding),
        tied_embeddings=tied,
        layers=len(layers),
        hidden_size=embedding.shape[-1],
        head_parameters=_parameters(_HEAD, embedding if tied or head is None else head),
        attention_width=sum(queries for queries, _ in attention),
    )
    if window is not None and window.value:
        return structs.replace(facts, kv_elements=0, kv_window_elements=width, kv_window=window.value)
    return structs.replace(facts, kv_elements=width)


def _attention(found: Table, layer: str) -> tuple[int, int]:
    """Width of the queries of one layer, and elements of its KV cache per token.

    The first matrix makes queries, keys and values at once; the second takes as many as there are queries.
    """
    made, taken = (found.tensors.get(f"decoder/{layer}/self_attention/linear_{number}/weight") for number in range(2))
    if made is None or taken is None or len(made.shape) != 2 or len(taken.shape) != 2:
        return 0, 0
    queries = taken.shape[1] * (_PACKED if taken.type == "INT32" else 1)
    return queries, max(made.shape[0] - queries, 0)


def _parameters(name: str, tensor: Tensor) -> int:
    """Weights that a tensor holds: none in scales and settings."""
    if not tensor.shape or name.endswith(_SCALES):
        return 0
    return tensor.elements * (_PACKED if tensor.type == "INT32" and len(tensor.shape) > 1 else 1)


def _specification(weights: Path) -> str | None:
    """The file begins with its version (32 bits), and the length (16 bits) and text of its kind, as "WhisperSpec"."""
    with weights.open("rb") as file:
        head = file.read(_MAGIC_BYTES + _LONGEST_NAME)
    length = int.from_bytes(head[4:6], "little")
    name = head[_MAGIC_BYTES : _MAGIC_BYTES + length].rstrip(b"\0")
    is_one = 0 < int.from_bytes(head[:4], "little") < 100 and 4 < length <= _LONGEST_NAME and name.endswith(b"Spec")
    return name.decode("ascii", "replace") if is_one and name.isascii() else None
