"""What people mean by a quantisation."""

from itertools import pairwise

import pytest
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model, models
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.format_names import common, in_name, meant, smaller, usual
from llmtop.estimator.software import ENGINES, Engine, engine

LLAMA_CPP, VLLM, MLX = engine("llama.cpp"), engine("vLLM"), engine("MLX")


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("q4", "llama.cpp", "Q4_K_M"),
        ("Q4", "Ollama", "Q4_K_M"),
        ("4-bit", "llama.cpp", "Q4_K_M"),
        ("q8", "llama.cpp", "Q8_0"),
        ("q4_0", "llama.cpp", "Q4_0"),
        ("q4", "MLX", "MLX 4-bit"),
        ("4bit", "MLX", "MLX 4-bit"),
        ("fp8", "vLLM", "FP8"),
        ("awq", "vLLM", "AWQ-INT4"),
    ],
)
def test_a_short_name_means_what_is_used_in_the_engine(text: str, name: str, found: str) -> None:
    assert meant(text, engine(name)).name == found


def test_a_name_of_nothing_is_refused() -> None:
    with pytest.raises(UnknownName, match="Q9_K"):
        meant("Q9_K", LLAMA_CPP)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Qwen3.6-27B UD-Q3_K_XL", "Q3_K_XL"),
        ("llama3.1:8b-q4_K_M", "Q4_K_M"),
        ("gpt-oss-20b MXFP4", "MXFP4"),
        ("unsloth/gemma-3-12b-it-GGUF:IQ4_XS", "IQ4_XS"),
        ("gemma-3-27b-it-qat-q4_0-gguf", "Q4_0"),
        ("Qwen2.5-7B-Instruct-GPTQ-Int4", "GPTQ-INT4"),
        ("turboderp/Qwen3-8B-exl3-4.0bpw", "4.0bpw"),
        ("NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "BF16"),
        ("Qwen3-30B-A3B-Instruct-2507", None),
        ("Llama-2-7b-hf", None),
        ("phi-4", None),
        ("llama-2-7b.Q8_0.gguf", "Q8_0"),
        ("Qwen3-8B.i1-Q4_K_S.gguf", "Q4_K_S"),
        ("", None),
    ],
)
def test_the_name_of_a_model_may_say_it(text: str, found: str | None) -> None:
    fmt = in_name(text, LLAMA_CPP)
    assert (fmt.name if fmt else None) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Qwen3-8B-Q9_K", "Q9_K"),
        ("Qwen3-8B-Q9_K.gguf", "Q9_K"),
        ("Qwen3-8B.IQ9_XXL", "IQ9_XXL"),
        ("Qwen3-8B-fp7", "fp7"),
        ("Qwen3-8B-w3a16", "w3a16"),
        ("Qwen3-8B-exl2-20bpw", "20bpw"),
        ("Qwen3-8B-7bit", "7bit"),
        ("Qwen3-8B-7-bit", "7-bit"),
    ],
)
def test_what_looks_like_a_format_and_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UnknownName, match=rf'^unknown number format "{said}"'):
        in_name(text, LLAMA_CPP)


@pytest.mark.parametrize("runs", [LLAMA_CPP, VLLM, MLX])
def test_no_name_in_the_catalogue_says_a_format_by_accident(runs: Engine) -> None:
    names = [name for row in models().values() for name in (row.name, *row.aliases)]
    assert [name for name in names if "BF16" not in name and in_name(name, runs)] == []


def test_every_engine_has_a_usual_format_and_a_ladder_that_goes_down() -> None:
    for each in ENGINES.values():
        assert usual(each).bits > 0
        bits = [known_format(name).bits for name in common(each)]
        assert all(large >= small for large, small in pairwise(bits))


def test_models_made_in_four_bits_keep_them() -> None:
    assert usual(LLAMA_CPP, "gpt-oss").name == "MXFP4"
    assert usual(VLLM, "gpt-oss").name == "MXFP4-16"
    assert usual(VLLM, "llama").name == "BF16"


def test_the_next_smaller_format_is_about_as_large_as_its_file() -> None:
    row = model("Llama-3.1-8B")
    less = smaller(row.facts(known_format("Q8_0")), LLAMA_CPP)
    assert less is not None
    assert less.quantization == "Q6_K"
    real = row.facts(known_format("Q6_K"))
    assert less.weight_bytes == pytest.approx(real.weight_bytes, rel=0.03)
    assert less.embedding_bytes == pytest.approx(real.embedding_bytes, rel=0.05)


def test_nothing_is_smaller_than_the_smallest() -> None:
    row = model("Llama-3.1-8B")
    assert smaller(row.facts(known_format("IQ1_S")), LLAMA_CPP) is None
    assert smaller(model("gpt-oss-20b").facts(known_format("MXFP4")), LLAMA_CPP) is None
    assert smaller(row.facts(known_format("MLX 4-bit")), MLX) is not None
