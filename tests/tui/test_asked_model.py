"""The model that --model means: what is refused, and in which words."""

import os
from pathlib import Path

import pytest
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.software import engine
from llmtop.tui.asked_model import AskedModel, asked_model
from llmtop.tui.refusal import Refusal, WrongUsage

from ..models.build import blocks, build
from ..models.folders import folder
from ..models.published import llama_3_1

KEYS: dict[str, str | int] = {"general.architecture": "llama", "llama.block_count": 1, "split.count": 3}
TABLE = {"model.embed_tokens.weight": ("BF16", (8, 4)), "lm_head.weight": ("BF16", (8, 4))}


def asked(name: object, quant: str | None = None) -> AskedModel:
    return asked_model(str(name), quant, None, engine("llama.cpp"))


def test_a_part_of_a_sharded_gguf_is_refused(tmp_path: Path) -> None:
    first = build(tmp_path / "m-00001-of-00003.gguf", KEYS, blocks(1, "attn_q"))
    with pytest.raises(Refusal, match=r"2 of 3 shards missing; the speed would be that of a part of the model$"):
        asked(first)
    renamed = first.rename(tmp_path / "renamed.gguf")
    with pytest.raises(Refusal, match="2 of 3 shards missing"):
        asked(renamed)


def test_a_part_of_sharded_safetensors_is_refused_in_the_same_words(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", llama_3_1(), TABLE, shards=2)
    assert asked(place).facts.shards == 2
    first = place / "model-00001-of-00002.safetensors"
    (place / "model-00002-of-00002.safetensors").unlink()
    for path in (place, first):
        with pytest.raises(Refusal, match=r"1 of 2 shards missing; the speed would be that of a part of the model$"):
            asked(path)
    (place / "config.json").unlink()
    with pytest.raises(Refusal, match=r"1 of 2 shards missing; the speed would be that of a part of the model$"):
        asked(first)


def test_a_configuration_alone_is_a_whole_model(tmp_path: Path) -> None:
    place = folder(tmp_path / "m", llama_3_1())
    (place / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}')
    assert asked(place).facts.parameters == pytest.approx(8.03e9, rel=1e-3)
    assert asked(place).notes == ()


def test_what_the_configuration_leaves_out_is_a_note(tmp_path: Path) -> None:
    (note,) = asked(folder(tmp_path / "m", {**llama_3_1(), "hidden_size": None})).notes
    assert note == "config.json does not say hidden_size: taken as usual for llama"


@pytest.mark.parametrize(
    ("name", "quant"), [("Qwen3-8B-Q9_K", None), ("Qwen3-8B.Q9_K.gguf", None), ("org/Qwen3-8B-GGUF:Q9_K", None)]
)
def test_an_unknown_quantisation_in_the_name_is_refused(name: str, quant: str | None) -> None:
    with pytest.raises(UnknownName, match=r'^unknown number format "Q9_K"'):
        asked(name, quant)


def test_a_quantisation_that_is_asked_for_overrules_the_name() -> None:
    assert asked("Qwen3-8B-Q9_K", "q4_0").facts.quantization == "Q4_0"


@pytest.mark.parametrize("quant", ["", " ", "\t", "\n"])
def test_an_empty_quantisation_is_none(quant: str) -> None:
    with pytest.raises(WrongUsage, match=r"^--quant names no quantisation: it is empty$"):
        asked("Qwen3-8B", quant)


@pytest.mark.parametrize("relative", [False, True])
def test_what_is_there_and_no_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, relative: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.gguf")
    Path("loop.gguf").symlink_to("loop.gguf")
    Path("lost.gguf").symlink_to("nowhere")
    place = Path() if relative else tmp_path
    for name, said in (
        ("pipe.gguf", "no regular file: "),
        ("loop.gguf", "a link that leads nowhere: "),
        ("lost.gguf", "a link that leads nowhere: "),
        ("none.gguf", "no such file"),
    ):
        with pytest.raises(Refusal, match=rf"^{said}.*{name}$"):
            asked(place / name)
    with pytest.raises(Refusal, match=r"^no regular file: /dev/zero$"):
        asked("/dev/zero")


def test_a_name_stays_on_one_line() -> None:
    with pytest.raises(Refusal, match=r"^no such file or folder: /no\?\?\[2J$"):
        asked("/no\n\x1b[2J")


@pytest.mark.parametrize("name", ["/" + "x" * 300, "~/" + "x" * 5000, "~nobody-of-this-name/x", "/a\0b"])
def test_what_can_be_no_name_of_a_file_is_said(name: str) -> None:
    with pytest.raises(Refusal, match=r"^no such file or folder: "):
        asked(name)
