"""Parameters and layout from `config.json` alone, against what is published of the models."""

import json
from pathlib import Path

import pytest
from llmtop.probes.models import facts
from llmtop.probes.models.safetensors.config import load
from llmtop.probes.models.safetensors.parts import Parts, parts
from llmtop.probes.sample import ModelFacts

from .folders import folder
from .published import MODELS, Published, llama_3_1

EACH = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def read(place: Path, model: Published) -> ModelFacts:
    found = facts(str(folder(place / "model", model.config)))
    assert found is not None
    return found


def of(place: Path, config: dict[str, object]) -> Parts:
    path = place / "config.json"
    path.write_text(json.dumps(config))
    found = parts(load(path).language())
    assert found is not None
    return found


@EACH
def test_totals_are_those_that_are_published(tmp_path: Path, model: Published) -> None:
    found = read(tmp_path, model)
    assert found.parameters == pytest.approx(model.total * 1e9, rel=0.005)
    assert found.expert_parameters == pytest.approx(model.experts * 1e9, rel=1e-9)
    assert found.source == "config.json alone: parameters by arithmetic"


@EACH
def test_active_parameters_are_those_that_are_published(tmp_path: Path, model: Published) -> None:
    if model.active is None:
        return
    found = read(tmp_path, model)
    assert found.parameters and found.embedding_parameters
    idle = found.expert_parameters * (1 - found.expert_used_count / found.expert_count)
    active = found.parameters - idle
    assert active - found.embedding_parameters <= model.active * 1.03e9
    assert active >= model.active * 0.97e9


@EACH
def test_what_a_token_leaves_in_the_cache(tmp_path: Path, model: Published) -> None:
    found = read(tmp_path, model)
    assert (found.layers, found.linear_layers, found.state_elements) == (model.layers, model.linear, model.state)
    assert (found.kv_elements, found.kv_window_elements, found.kv_window) == (model.cached, model.near, model.window)


def test_every_part_of_a_dense_model(tmp_path: Path) -> None:
    found = of(tmp_path, dict(llama_3_1()))
    layer = 4096 * (4096 + 2 * 1024 + 4096) + 3 * 4096 * 14336 + 2 * 4096
    assert found == Parts(embedding=128256 * 4096, head=128256 * 4096, experts=0, body=32 * layer + 4096)
    assert found.total == 8_030_261_248


def test_a_tied_head_is_no_further_part(tmp_path: Path) -> None:
    found = of(tmp_path, {**llama_3_1(), "tie_word_embeddings": True})
    assert (found.head, found.total) == (0, 8_030_261_248 - 128256 * 4096)


def test_widths_of_attention(tmp_path: Path) -> None:
    sliding = read(tmp_path, MODELS["gpt-oss-20b"])
    assert (sliding.attention_width, sliding.window_width) == (24 * 64 * 64, 12 * 64 * 64)
    mixed = read(tmp_path, MODELS["gemma-4-26B-A4B"])
    assert (mixed.attention_width, mixed.window_width) == (16 * (5 * 512 + 25 * 256), 16 * 25 * 256)
    latent = read(tmp_path, MODELS["DeepSeek-V3"])
    assert (latent.attention_width, latent.window_width) == (61 * 128 * 192, 0)
    assert (latent.hidden_size, latent.context_length) == (7168, 163840)


def test_bytes_follow_the_way_of_storing(tmp_path: Path) -> None:
    plain = read(tmp_path, MODELS["Llama-3.1-8B"])
    assert (plain.weight_bytes, plain.quantization) == (2 * 8_030_261_248, "BF16")
    half = read(tmp_path, MODELS["DeepSeek-V3"])
    assert half.quantization == "FP8"
    assert half.weight_bytes == pytest.approx(671.0e9 + 2 * 129280 * 7168, rel=0.001)
    few = read(tmp_path, MODELS["gpt-oss-20b"])
    rest = 20.91e9 - few.expert_parameters
    assert few.expert_bytes == few.expert_parameters * 17 // 32
    assert few.weight_bytes == pytest.approx(few.expert_bytes + 2 * rest, rel=0.01)


def test_blocks_of_a_search_are_counted_one_by_one(tmp_path: Path) -> None:
    first: dict[str, object] = {
        "attention": {"n_heads_in_group": 8, "no_op": False},
        "ffn": {"ffn_mult": 2.625, "no_op": False},
    }
    second: dict[str, object] = {
        "attention": {"n_heads_in_group": None, "no_op": True},
        "ffn": {"ffn_mult": 1.0, "replace_with_linear": True},
    }
    found = read(
        tmp_path,
        Published(
            config={
                "model_type": "nemotron-nas", "hidden_size": 8192, "num_attention_heads": 64, "num_hidden_layers": 2,
                "vocab_size": 128256, "tie_word_embeddings": False,
                "block_configs": [first, second],
            },
            total=0, layers=2, cached=0,
        ),
    )  # fmt: skip
    assert found.kv_elements == 2 * 8 * 128
    width = 14336
    mixing = 2 * 8192 * 8192 + 2 * 8192 * 1024
    assert found.parameters == 2 * 128256 * 8192 + mixing + 3 * 8192 * width + 8192 * 8192 + 5 * 8192
