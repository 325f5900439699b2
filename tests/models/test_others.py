"""Folders of MLC LLM and of CTranslate2."""

import json
import struct
from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile, facts

LLAMA: dict[str, object] = {
    "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_hidden_layers": 2,
    "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000, "tie_word_embeddings": False,
    "context_window_size": 2048,
}  # fmt: skip


def mlc(place: Path, table: str | None = "ndarray-cache.json", **more: object) -> Path:
    place.mkdir(exist_ok=True)
    config = {
        "model_type": "llama",
        "quantization": "q4f16_1",
        "model_config": LLAMA,
        "sliding_window_size": -1,
        **more,
    }
    (place / "mlc-chat-config.json").write_text(json.dumps(config))
    sizes = {
        "model.embed_tokens.q_weight": 1000 * 128,
        "model.embed_tokens.q_scale": 1000 * 16,
        "model.layers.0.self_attn.qkv_proj.q_weight": 512 * 128,
        "model.layers.1.mlp.down_proj.q_weight": 256 * 256,
        "lm_head.q_weight": 1000 * 128,
    }
    records = [{"name": name, "shape": [1], "dtype": "uint32", "nbytes": size} for name, size in sizes.items()]
    if table is not None:
        files = [{"dataPath": "params_shard_0.bin", "nbytes": 1, "records": records}]
        (place / table).write_text(json.dumps({"metadata": {"ParamSize": 5}, "records": files}))
    return place


@pytest.mark.parametrize("table", ["ndarray-cache.json", "tensor-cache.json"])
def test_mlc(tmp_path: Path, table: str) -> None:
    found = facts(str(mlc(tmp_path / "m", table)))
    assert found is not None
    assert found.weight_bytes == 1000 * (128 + 16 + 128) + 512 * 128 + 256 * 256
    assert (found.embedding_bytes, found.tied_embeddings, found.quantization) == (1000 * 144, False, "MLC q4f16_1")
    layer = 256 * (256 + 2 * 128 + 256) + 3 * 256 * 512 + 2 * 256
    assert found.parameters == 2 * 1000 * 256 + 2 * layer + 256
    assert (found.kv_elements, found.kv_window, found.context_length) == (2 * 2 * 2 * 64, None, 2048)
    assert found.source == f"{table} and mlc-chat-config.json"


def test_mlc_without_its_weights(tmp_path: Path) -> None:
    found = facts(str(mlc(tmp_path / "m", None) / "mlc-chat-config.json"))
    assert found is not None
    assert found.source == "mlc-chat-config.json alone: parameters by arithmetic"
    assert found.weight_bytes == pytest.approx((found.parameters or 0) * 4.5 / 8, rel=0.001)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"records": 1}', b'{"records": [{"records": [{"name": 1}]}]}', b"[" * 9999]
)
def test_a_bad_table_is_said_in_one_line(tmp_path: Path, text: bytes) -> None:
    place = mlc(tmp_path / "m")
    (place / "ndarray-cache.json").write_bytes(text)
    with pytest.raises(BadModelFile, match="no table of weights"):
        facts(str(place))


def test_a_table_with_less_than_nothing(tmp_path: Path) -> None:
    place = mlc(tmp_path / "m")
    (place / "ndarray-cache.json").write_text('{"records": [{"records": [{"name": "a", "nbytes": -5}]}]}')
    with pytest.raises(BadModelFile, match="less than no bytes"):
        facts(str(place))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", struct.pack("<IH", 6, 60000), struct.pack("<IH", 6, 9) + b"\xff" * 9]
)
def test_other_files_called_model_bin(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.bin").write_bytes(data)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    assert facts(str(tmp_path / "model.bin")) is None
