"""Writes a model file of random weights that llama.cpp really runs."""

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .error import DemoError, missing_extra
from .shape import QUANTIZATIONS, Shape
from .vocabulary import tokens
from .weights import Tensor, Weights, tensors

if TYPE_CHECKING:
    from gguf import GGUFWriter

ALIGNMENT = 32
_TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}assistant:"


def write(
    path: Path,
    shape: Shape,
    *,
    quantization: str = "Q4_0",
    progress: Callable[[float], None] | None = None,
    seed: int = 1,
    name: str | None = None,
) -> None:
    """Writes a GGUF file of the llama architecture, tensor by tensor; it gets its name when it is complete.

    Args:
        path: of the file; its folder is made.
        shape: its dimensions, of `SHAPES` or others.
        quantization: one of `QUANTIZATIONS`, for all matrices.
        progress: gets the share that is written, 0-1, after every MiB or so.
        seed: equal seeds write equal files.
        name: that the file gives itself; None means that of the path.

    Raises:
        DemoError: the package gguf is missing, or the disk is full or refuses.
        ValueError: a shape that cannot be stored so.
    """
    if quantization not in QUANTIZATIONS:
        raise ValueError(f"no quantization {quantization!r}: there are {', '.join(QUANTIZATIONS)}")
    rows = list(tensors(shape, quantization))
    total = sum(tensor.bytes for tensor in rows)
    with _complete(path, total) as temporary:
        _write_header(temporary, shape, quantization, rows, name or path.stem)
        weights, written = Weights(seed), 0
        with temporary.open("ab") as file:
            _pad(file)
            for tensor in rows:
                for chunk in weights.chunks(tensor):
                    file.write(chunk)
                    written += len(chunk)
                    if progress is not None:
                        progress(written / total)
                _pad(file)


def discard_remains(path: Path) -> None:
    """Deletes what writers of this file left that were killed."""
    from psutil import pid_exists  # noqa: PLC0415

    for remains in path.parent.glob(f".{path.name}.*.part"):
        pid = remains.name.split(".")[-2]
        if not pid.isdigit() or not pid_exists(int(pid)):
            remains.unlink(missing_ok=True)


@contextmanager
def _complete(path: Path, size: int) -> Generator[Path]:
    """A temporary path that takes the name `path` at the end, and goes away if anything breaks."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        discard_remains(path)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            reason = f"no room for the demo model: {size / 1e9:.2f} GB are needed in {path.parent}"
        else:
            reason = f"the demo model cannot be written to {path.parent}: {error.strerror or error}"
        raise DemoError(reason) from None


def _pad(file: BinaryIO) -> None:
    file.write(bytes(-file.tell() % ALIGNMENT))


def _write_header(path: Path, shape: Shape, quantization: str, rows: list[Tensor], name: str) -> None:
    try:
        from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType  # noqa: PLC0415
        from numpy import dtype  # noqa: PLC0415
    except ImportError:
        raise missing_extra() from None
    file_types = {
        "Q4_0": LlamaFileType.MOSTLY_Q4_0,
        "Q8_0": LlamaFileType.MOSTLY_Q8_0,
        "F16": LlamaFileType.MOSTLY_F16,
        "F32": LlamaFileType.ALL_F32,
    }
    writer = GGUFWriter(path, "llama")
    try:
        writer.add_name(name)
        writer.add_description("random weights that mean nothing")
        writer.add_file_type(file_types[quantization])
        writer.add_quantization_version(2)
        _add_shape(writer, shape)
        _add_vocabulary(writer, shape)
        for tensor in rows:
            stored = {"F32": "<f4", "F16": "<f2"}.get(tensor.kind, "u1")
            columns = tensor.shape[-1] if stored != "u1" else tensor.row_bytes
            writer.add_tensor_info(
                tensor.name,
                (*tensor.shape[:-1], columns),
                dtype(stored),
                tensor.bytes,
                GGMLQuantizationType[tensor.kind],
            )
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()


def _add_shape(writer: "GGUFWriter", shape: Shape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    if shape.experts:
        writer.add_expert_count(shape.experts)
        writer.add_expert_used_count(shape.used)


def _add_vocabulary(writer: "GGUFWriter", shape: Shape) -> None:
    texts, scores, types = tokens(shape.vocabulary)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_chat_template(_TEMPLATE)
