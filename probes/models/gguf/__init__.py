"""GGUF, the files of llama.cpp and its kin: facts from the header, of all shards together."""

import re
from pathlib import Path

from msgspec.structs import replace

from ...sample import ModelFacts
from ..bad import BadModelFile
from .attention import attention
from .cursor import LIMIT
from .header import MOST_TENSORS, Header, Tensor
from .header import read as read_header
from .keys import Keys
from .state import state_elements
from .types import FILE_TYPES, GUESSED

_SHARD = re.compile(r"(?s)(.*)-(\d{5})-of-(\d{5})(\.gguf)")
_MOST_SHARDS = 1000
_BLOCK = re.compile(r"blk\.(\d{1,6})\.")


def parts(path: Path) -> list[Path]:
    """The file and its other shards, as far as they are there; empty for a path of another format."""
    if not path.is_file():
        return []
    shards = _shards(path)
    if shards:
        return [shard for shard in shards if shard.is_file()]
    return [path] if path.suffix.lower() == ".gguf" or _begins_so(path) else []


def read(path: Path) -> ModelFacts:
    """Reads the facts of the model that this file, or this shard, belongs to.

    Raises:
        BadModelFile: a file that is no GGUF, or a broken one.
        OSError: it cannot be read.
    """
    found = parts(path)
    headers = _headers(found)
    values = {key: value for header in reversed(headers) for key, value in header.values.items()}
    keys = Keys(values)
    missing = max(len(_shards(path)), keys.whole("split.count") or 1) - len(found)
    remarks = [f"{missing} of {missing + len(found)} shards missing"] if missing > 0 else []
    facts = _facts(path, keys, [tensor for header in headers for tensor in header.tensors], remarks)
    return replace(facts, shards=len(found) + max(missing, 0), missing_shards=max(missing, 0))


def _headers(shards: list[Path]) -> list[Header]:
    """Of all shards, which together have no more tensors and bytes than one model."""
    found: list[Header] = []
    tensors, size = 0, 0
    for shard in shards:
        found.append(read_header(shard))
        tensors, size = tensors + len(found[-1].tensors), size + found[-1].bytes
        if tensors > MOST_TENSORS or size > 2 * LIMIT:
            raise BadModelFile(
                shard, f"headers without end in its shards: {tensors} tensors, {size >> 20} MiB up to here"
            )
    return found


def _shards(path: Path) -> list[Path]:
    match = _SHARD.fullmatch(path.name)
    if match is None or not 0 < int(match[3]) <= _MOST_SHARDS:
        return []
    return [path.with_name(f"{match[1]}-{index:05}-of-{match[3]}{match[4]}") for index in range(1, int(match[3]) + 1)]


def _begins_so(path: Path) -> bool:
    """Ollama keeps GGUF files under names that do not tell."""
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def _facts(path: Path, keys: Keys, tensors: list[Tensor], remarks: list[str]) -> ModelFacts:
    if not tensors:
        raise BadModelFile(path, "no tensors in it: a vocabulary only, or the first of several shards alone")
    if not sum(tensor.bytes for tensor in tensors):
        raise BadModelFile(path, "no weights in it: all its tensors are empty")
    layers = keys.layers
    unused = [tensor for tensor in tensors if _is_lookup(tensor) or (layers and _block(tensor) >= layers)]
    names = {tensor.name for tensor in unused}
    experts = [tensor for tensor in tensors if _is_expert(tensor) and tensor.name not in names]
    embedding = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    head = next((tensor for tensor in tensors if tensor.name == "output.weight"), embedding)
    heed = attention(keys, {tensor.name for tensor in tensors})
    return ModelFacts(
        name=keys.text("general.name") or path.stem,
        source=", ".join(["GGUF header", *remarks, *heed.remarks]),
        path=str(path),
        architecture=keys.architecture,
        quantization=_quantization(keys, tensors),
        context_length=keys.of_model("context_length"),
        parameters=sum(tensor.parameters for tensor in tensors),
        weight_bytes=sum(tensor.bytes for tensor in tensors),
        embedding_bytes=embedding.bytes if embedding else None,
        embedding_parameters=embedding.parameters if embedding else None,
        tied_embeddings=head is embedding if embedding else None,
        unused_bytes=sum(tensor.bytes for tensor in unused),
        unused_parameters=sum(tensor.parameters for tensor in unused),
        expert_bytes=sum(tensor.bytes for tensor in experts),
        expert_parameters=sum(tensor.parameters for tensor in experts),
        expert_count=keys.of_model("expert_count") or 0,
        expert_used_count=keys.of_model("expert_used_count") or 0,
        layers=layers,
        linear_layers=heed.linear_layers,
        state_elements=heed.state_layers * state_elements(keys),
        hidden_size=keys.of_model("embedding_length") or None,
        head_parameters=head.parameters if head else None,
        attention_width=heed.width,
        window_width=heed.window_width,
        kv_elements=heed.elements,
        kv_window_elements=heed.window_elements,
        kv_window=heed.window,
    )


def _is_expert(tensor: Tensor) -> bool:
    """Routed experts: "blk.3.ffn_up_exps.weight", and grovemoe's "chexps"; shared ones end in "shexp"."""
    return "exps." in tensor.name


def _is_lookup(tensor: Tensor) -> bool:
    """Tables of which decoding reads one row a token: the per-layer embeddings of gemma 3n and later."""
    return tensor.name.startswith("per_layer_token_embd")


def _block(tensor: Tensor) -> int:
    match = _BLOCK.match(tensor.name)
    return int(match[1]) if match else -1


def _quantization(keys: Keys, tensors: list[Tensor]) -> str | None:
    kind = keys.whole("general.file_type")
    named = FILE_TYPES.get(kind % GUESSED) if kind is not None else None
    if named:
        return named
    sums: dict[str, int] = {}
    for tensor in tensors:
        sums[tensor.kind] = sums.get(tensor.kind, 0) + tensor.bytes
    return max(sums, key=lambda name: sums[name])
