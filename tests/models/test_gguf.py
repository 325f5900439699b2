"""The lean reader of GGUF headers against the reader of the package gguf, on files that llama.cpp runs."""

import os
import time
from pathlib import Path

import gguf
import pytest
from gguf.constants import GGML_QUANT_SIZES, LlamaFileType
from llmtop.probes.models import BadModelFile, facts
from llmtop.probes.models.gguf.types import BLOCKS, FILE_TYPES
from llmtop.probes.sample import ModelFacts
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import SHAPES
from msgspec.structs import replace
from numpy import float32, zeros

from .build import build

NANO = SHAPES["nano"]
MODELS = {
    "dense-q4": (NANO, "Q4_0"),
    "dense-q8": (NANO, "Q8_0"),
    "dense-f16": (NANO, "F16"),
    "experts": (SHAPES["nano-moe"], "Q4_0"),
    "tied": (replace(NANO, tied=True), "Q8_0"),
}


def read(path: Path) -> ModelFacts:
    found = facts(str(path))
    assert found is not None
    return found


def test_block_sizes_are_those_of_ggml() -> None:
    assert {kind.value: (kind.name, *size) for kind, size in GGML_QUANT_SIZES.items()} == BLOCKS


def test_file_types_are_those_of_llama_cpp() -> None:
    names = {kind.value: kind.name for kind in LlamaFileType if kind is not LlamaFileType.GUESSED}
    short = {value: name.removeprefix("ALL_").removeprefix("MOSTLY_") for value, name in names.items()}
    assert {**short, 38: "MXFP4"} == FILE_TYPES


@pytest.mark.parametrize("name", MODELS)
def test_sums_agree_with_the_package_gguf(tmp_path: Path, name: str) -> None:
    shape, quantization = MODELS[name]
    path = tmp_path / f"{name}.gguf"
    write(path, shape, quantization=quantization)
    found, reader = read(path), gguf.GGUFReader(path)
    rows = reader.tensors
    assert found.weight_bytes == sum(int(row.n_bytes) for row in rows)
    assert found.parameters == sum(int(row.n_elements) for row in rows)
    assert found.expert_bytes == sum(int(row.n_bytes) for row in rows if "_exps" in row.name)
    assert found.embedding_bytes == next(int(row.n_bytes) for row in rows if row.name == "token_embd.weight")
    assert found.quantization == quantization
    assert found.architecture == "llama"
    assert found.context_length == shape.context
    assert found.layers == shape.layers
    assert found.tied_embeddings is shape.tied
    assert found.head_parameters == shape.width * shape.vocabulary
    assert found.attention_width == shape.layers * shape.heads * shape.head_width
    assert found.kv_elements == shape.layers * shape.kv_heads * shape.head_width * 2
    assert (found.kv_window_elements, found.kv_window) == (0, None)
    assert (found.expert_count, found.expert_used_count) == (shape.experts, shape.used)
    assert found.source == "GGUF header"


def _write_shards(folder: Path) -> list[Path]:
    writer = gguf.GGUFWriter(folder / "split.gguf", "llama", split_max_tensors=2)
    writer.add_block_count(1)
    writer.add_context_length(512)
    for index in range(5):
        writer.add_tensor(f"blk.0.part{index}.weight", zeros((4, 32 + index), float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("*.gguf"))


def test_shards_are_one_model(tmp_path: Path) -> None:
    shards = _write_shards(tmp_path)
    assert len(shards) == 3
    found = [read(shard) for shard in shards]
    assert {one.weight_bytes for one in found} == {4 * 4 * sum(32 + index for index in range(5))}
    assert {one.architecture for one in found} == {"llama"}
    assert {one.context_length for one in found} == {512}


def test_a_missing_shard_is_said(tmp_path: Path) -> None:
    shards = _write_shards(tmp_path)
    shards[1].unlink()
    found = read(shards[0])
    assert found.source == "GGUF header, 1 of 3 shards missing"
    assert (found.shards, found.missing_shards) == (3, 1)


def test_only_the_headers_are_read(tmp_path: Path) -> None:
    if not Path("/proc/self/io").exists():
        pytest.skip("only Linux counts what a process reads")

    def count() -> int:
        lines = Path("/proc/self/io").read_text("ascii").splitlines()
        return int(next(line for line in lines if line.startswith("rchar")).split()[1])

    for index in range(1, 4):
        name = "token_embd.weight" if index == 1 else f"blk.{index}.ffn_up_exps.weight"
        build(tmp_path / f"m-{index:05}-of-00003.gguf", {"split.no": index - 1}, {name: (8192, 8192, 256)})
    before = count()
    found = read(tmp_path / "m-00001-of-00003.gguf")
    assert found.weight_bytes == 3 * 2 * 8192 * 8192 * 256
    assert count() - before < 3 << 20


def test_without_a_file_type_the_commonest_type_counts(tmp_path: Path) -> None:
    path = build(tmp_path / "m.gguf", {"general.architecture": "llama"}, {"token_embd.weight": (32, 64)})
    assert read(path).quantization == "F16"


def test_an_unknown_type_takes_the_room_that_it_has(tmp_path: Path) -> None:
    path = build(tmp_path / "m.gguf", {}, {"a.weight": (32, 64), "b.weight": (32, 32), "token_embd.weight": (32, 32)})
    data = path.read_bytes()
    kind = data.index(b"a.weight") + 8 + 4 + 16
    path.write_bytes(data[:kind] + bytes([200]) + data[kind + 1 :])
    assert read(path).weight_bytes == 2 * 32 * (64 + 32 + 32)


def test_a_file_without_the_ending_is_known_by_its_beginning(tmp_path: Path) -> None:
    path = build(tmp_path / "sha256-0123", {"general.name": "Some Model"}, {"token_embd.weight": (32, 64)})
    assert read(path).name == "Some Model"
    other = tmp_path / "notes.txt"
    other.write_text("no model")
    assert facts(str(other)) is None
    assert facts(str(tmp_path / "nothing.gguf")) is None
    assert facts(str(tmp_path)) is None


def test_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = build(tmp_path / "m.gguf", {"general.name": "a\x1b]0;b\x07\n"}, {"token_embd.weight": (32, 64)})
    assert read(path).name == "a]0;b"


def test_a_large_vocabulary_is_skipped_fast(tmp_path: Path) -> None:
    vocabulary = [f"token number {index}" for index in range(150_000)]
    keys = {"general.architecture": "llama", "tokenizer.ggml.tokens": vocabulary, "tokenizer.ggml.merges": vocabulary}
    tensors = {f"blk.{layer}.attn_q.weight": (64, 64) for layer in range(400)}
    path = build(tmp_path / "m.gguf", keys, tensors)
    times: list[float] = []
    for turn in range(5):
        os.utime(path, (turn, turn))
        start = time.perf_counter()
        read(path)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_the_second_look_costs_nothing_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.gguf"
    write(path, NANO, quantization="Q8_0")
    first = read(path)
    monkeypatch.setattr(Path, "open", None)
    assert read(path) is first
    monkeypatch.undo()
    write(path, replace(NANO, layers=1))
    assert read(path).layers == 1


def test_a_bad_file_stays_bad_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    for _ in range(2):
        with pytest.raises(BadModelFile, match="ends in the middle"):
            facts(str(path))
    write(path, NANO)
    assert read(path).quantization == "Q4_0"
