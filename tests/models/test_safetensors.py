"""Sums over the tensors of Hugging Face folders: by role, unpacked, of all shards."""

from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile, facts
from llmtop.probes.sample import ModelFacts

from .folders import Table, folder, weights

CONFIG: dict[str, object] = {
    "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4,
    "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 1000, "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16", "tie_word_embeddings": False,
}  # fmt: skip
TABLE: dict[str, tuple[str, tuple[int, ...]]] = {
    "model.embed_tokens.weight": ("BF16", (1000, 256)),
    "model.layers.0.self_attn.q_proj.weight": ("BF16", (256, 256)),
    "model.layers.1.self_attn.q_proj.weight": ("BF16", (256, 256)),
    "lm_head.weight": ("BF16", (1000, 256)),
}
ROWS, SQUARE = 1000 * 256, 256 * 256


def read(place: Path, config: dict[str, object], table: Table | None, shards: int = 1) -> ModelFacts:
    found = facts(str(folder(place / "model", config, table, shards)))
    assert found is not None
    return found


def test_a_dense_model(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG, TABLE)
    assert (found.name, found.architecture, found.quantization) == ("model", "llama", "BF16")
    assert (found.parameters, found.weight_bytes) == (2 * ROWS + 2 * SQUARE, 4 * ROWS + 4 * SQUARE)
    assert (found.embedding_parameters, found.embedding_bytes, found.head_parameters) == (ROWS, 2 * ROWS, ROWS)
    assert (found.tied_embeddings, found.unused_bytes, found.expert_bytes) == (False, 0, 0)
    assert (found.kv_elements, found.attention_width, found.layers) == (2 * 2 * 2 * 64, 2 * 256, 2)
    assert (found.hidden_size, found.context_length) == (256, 4096)
    assert found.source == "safetensors headers"


@pytest.mark.parametrize("name", [".", "config.json", "model-00001-of-00002.safetensors"])
def test_any_of_its_files_means_the_folder(tmp_path: Path, name: str) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE, shards=2)
    found = facts(str(place / name))
    assert found is not None
    assert (found.parameters, found.name, found.layers) == (2 * ROWS + 2 * SQUARE, "m", 2)


def test_a_file_without_a_configuration_is_summed_up(tmp_path: Path) -> None:
    found = facts(str(weights(tmp_path / "lone.safetensors", TABLE)))
    assert found is not None
    assert (found.name, found.layers, found.kv_elements) == ("lone", None, None)
    assert found.parameters == 2 * ROWS + 2 * SQUARE
    assert (found.embedding_parameters, found.quantization) == (ROWS, "BF16")


@pytest.mark.parametrize("says", [True, None])
def test_without_a_head_the_table_is_one(tmp_path: Path, says: bool | None) -> None:
    table = {name: entry for name, entry in TABLE.items() if name != "lm_head.weight"}
    found = read(tmp_path, {**CONFIG, "tie_word_embeddings": says}, table)
    assert (found.tied_embeddings, found.head_parameters) == (True, ROWS)


def test_a_head_that_is_said_to_be_missing_stays_unknown(tmp_path: Path) -> None:
    table = {name: entry for name, entry in TABLE.items() if name != "lm_head.weight"}
    assert read(tmp_path, CONFIG, table).tied_embeddings is None


def test_a_copy_of_a_tied_head_is_not_loaded(tmp_path: Path) -> None:
    found = read(tmp_path, {**CONFIG, "tie_word_embeddings": True}, TABLE)
    assert (found.tied_embeddings, found.unused_parameters, found.head_parameters) == (True, ROWS, ROWS)


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.1.mlp.experts.3.gate_proj.weight",
        "model.layers.1.mlp.experts.gate_up_proj",
        "model.layers.1.block_sparse_moe.experts.0.w1.weight",
        "model.layers.1.block_sparse_moe.input_linear.weight",
        "model.layers.1.mlp.switch_mlp.down_proj.weight",
        "backbone.layers.1.mixer.experts.7.up_proj.weight",
        "model.language_model.layers.1.mlp.experts.down_proj",
    ],
)
def test_routed_experts_by_their_names(tmp_path: Path, name: str) -> None:
    shared = "model.layers.1.mlp.shared_experts.up_proj.weight"
    found = read(tmp_path, CONFIG, {**TABLE, name: ("BF16", (4, 256, 256)), shared: ("BF16", (256, 256))})
    assert (found.expert_parameters, found.expert_bytes) == (4 * SQUARE, 8 * SQUARE)


@pytest.mark.parametrize(
    "name",
    [
        "model.visual.blocks.0.attn.qkv.weight",
        "vision_tower.encoder.layers.0.mlp.fc1.weight",
        "multi_modal_projector.linear_1.weight",
        "model.audio_tower.layers.0.fc1.weight",
        "model.mm_projector.0.weight",
        "model.embed_vision.embedding_projection.weight",
        "mtp.layers.0.self_attn.q_proj.weight",
        "model.layers.2.eh_proj.weight",
        "model.layers.2.mlp.experts.0.up_proj.weight",
        "model.layers.2.embed_tokens.weight",
        "model.language_model.embed_tokens_per_layer.weight",
    ],
)
def test_what_decoding_never_reads(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, CONFIG, {**TABLE, name: ("BF16", (256, 256))})
    assert (found.unused_parameters, found.unused_bytes, found.expert_parameters) == (SQUARE, 2 * SQUARE, 0)
    assert found.embedding_parameters == ROWS


def test_metadata_may_say_anything(tmp_path: Path) -> None:
    texts = {"format": "pt", "shape": "[1]", "dtype": "F32", "data_offsets": "none"}
    found = facts(str(weights(tmp_path / "m.safetensors", TABLE, texts)))
    assert found is not None and found.parameters == 2 * ROWS + 2 * SQUARE


def test_missing_shards_are_said(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE, shards=4)
    (place / "model-00001-of-00004.safetensors").unlink()
    (place / "model-00004-of-00004.safetensors").unlink()
    found = facts(str(place))
    assert found is not None
    assert found.source == "safetensors headers, 2 of 4 shards missing"
    assert (found.shards, found.missing_shards) == (4, 2)
    assert (found.parameters, found.tied_embeddings) == (2 * SQUARE, None)


def test_the_index_tells_where_names_do_not(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    weights(place / "part-a.safetensors", {"model.embed_tokens.weight": ("BF16", (1000, 256))})
    weights(place / "other.safetensors", TABLE)
    index = '{"metadata": {"total_size": 1}, "weight_map": {"a": "part-a.safetensors", "b": "part-b.safetensors"}}'
    (place / "model.safetensors.index.json").write_text(index)
    found = facts(str(place))
    assert found is not None
    assert (found.parameters, found.source) == (ROWS, "safetensors headers, 1 of 2 shards missing")


def test_a_second_copy_is_not_counted(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE, shards=2)
    for name in ("consolidated.safetensors", "adapter_model.safetensors", "consolidated-00001-of-00001.safetensors"):
        weights(place / name, TABLE)
    found = facts(str(place))
    assert found is not None
    assert found.parameters == 2 * ROWS + 2 * SQUARE


def test_gguf_files_in_a_folder_are_no_weights_of_its_configuration(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG)
    (place / "m.gguf").write_bytes(b"GGUF")
    assert facts(str(place)) is None


def test_a_change_is_seen(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, TABLE)
    first = facts(str(place))
    assert facts(str(place)) is first
    folder(place, {**CONFIG, "num_key_value_heads": 4}, TABLE)
    again = facts(str(place))
    assert first and again and first.kv_elements and again.kv_elements == 2 * first.kv_elements


def test_only_the_headers_are_read(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", CONFIG, {**TABLE, "model.layers.0.big.weight": ("BF16", (1 << 20, 1 << 15))})
    if not Path("/proc/self/io").exists():
        pytest.skip("only Linux counts what a process reads")

    def count() -> int:
        lines = Path("/proc/self/io").read_text("ascii").splitlines()
        return int(next(line for line in lines if line.startswith("rchar")).split()[1])

    before = count()
    found = facts(str(place))
    assert found is not None and found.weight_bytes and found.weight_bytes > 1 << 35
    assert count() - before < 1 << 20


def test_other_configurations_are_no_models(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", {"name": "something else"})
    with pytest.raises(BadModelFile, match="it names no model_type"):
        facts(str(place))
