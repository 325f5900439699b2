"""Sizes in a `config.json`: what is there and makes no sense is refused; what is not there and was assumed is said."""

import json
from pathlib import Path

import pytest
from llmtop.probes.models import BadModelFile, facts
from llmtop.probes.sample import ModelFacts

from .folders import folder
from .published import MODELS, llama_3_1

CONFIG = llama_3_1()


def read(place: Path, config: dict[str, object]) -> ModelFacts:
    found = facts(str(folder(place, config)))
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"])
@pytest.mark.parametrize("value", [-4096, 1e308, 1.5, 1 << 30, "many", "", True, {}, [[1]], "-1"])
def test_a_size_that_makes_no_sense_is_refused(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(BadModelFile, match=rf"config\.json: {name} is .*: no size between \d and \d+$"):
        read(tmp_path / "m", {**CONFIG, name: value})


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_words_that_python_writes_for_numbers_are_no_sizes(tmp_path: Path, word: str) -> None:
    place = folder(tmp_path / "m", {})
    (place / "config.json").write_text(f'{{"model_type": "llama", "hidden_size": {word}}}')
    with pytest.raises(BadModelFile, match="hidden_size is no number"):
        facts(str(place))


@pytest.mark.parametrize("name", ["hidden_size", "num_attention_heads", "num_key_value_heads", "vocab_size"])
def test_what_no_model_lacks_is_not_0(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadModelFile, match=f"{name} is 0: no size between 1"):
        read(tmp_path / "m", {**CONFIG, name: 0})


@pytest.mark.parametrize("inner", [{"hidden_size": -1}, {"num_hidden_layers": 5000}])
def test_sizes_of_the_inner_configuration_are_looked_at(tmp_path: Path, inner: dict[str, object]) -> None:
    with pytest.raises(BadModelFile, match="no size between"):
        read(tmp_path / "m", {"model_type": "llava", "text_config": {**CONFIG, **inner}})


def test_a_model_without_attention_may_have_no_heads(tmp_path: Path) -> None:
    mamba = {"model_type": "mamba2", "hidden_size": 256, "num_hidden_layers": 2, "vocab_size": 100, "state_size": 16}
    found = read(tmp_path / "m", {**mamba, "num_heads": 8, "num_attention_heads": 0})
    assert (found.kv_elements, found.linear_layers, found.assumed) == (0, 2, ())


def test_sizes_that_together_make_no_sense_are_refused(tmp_path: Path) -> None:
    most = {"hidden_size": 1 << 24, "vocab_size": 1 << 24, "intermediate_size": 1 << 24, "num_hidden_layers": 4096}
    with pytest.raises(BadModelFile, match="no model has so many"):
        read(tmp_path / "m", {**CONFIG, **most})


def test_null_is_as_good_as_nothing(tmp_path: Path) -> None:
    found = read(tmp_path / "m", {**CONFIG, "head_dim": None, "num_local_experts": None})
    assert found.kv_elements == 32 * 2 * 8 * 128
    assert found.assumed == ()


def test_what_the_file_does_not_say_is_said(tmp_path: Path) -> None:
    found = read(tmp_path / "m", {"model_type": "llama", "num_hidden_layers": 2})
    (said,) = found.assumed
    assert said.startswith("config.json does not say hidden_size, intermediate_size, num_attention_heads, vocab_size:")
    assert said.endswith("taken as usual for llama")


def test_heads_that_nobody_counted_are_said(tmp_path: Path) -> None:
    config: dict[str, object] = {
        "model_type": "a new one",
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "vocab_size": 100,
    }
    assert read(tmp_path / "m", config).assumed == (
        "config.json does not say how many attention heads there are: taken as one",
    )


@pytest.mark.parametrize("model", sorted(MODELS))
def test_published_configurations_are_whole(tmp_path: Path, model: str) -> None:
    config = json.loads(json.dumps(MODELS[model].config))
    assert [said for said in read(tmp_path / "m", config).assumed if "heads" in said] == []
