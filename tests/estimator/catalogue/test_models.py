"""The catalogue of models: counts that somebody else has printed, and the arithmetic of their shapes."""

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llmtop.estimator.catalogue.formats import format as number_format
from llmtop.estimator.catalogue.models import CatalogueModel, model, models
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.model import active_parameters, weight_bytes_read

PUBLISHED_B = {
    # Printed by llama-bench in public tables: it counts the tensors of the file.
    "Llama-2-7b-hf": 6.74,
    "Llama-2-13b-hf": 13.02,
    "Llama-2-70b-hf": 68.98,
    "Llama-3.1-8B": 8.03,
    "Llama-3.1-70B": 70.55,
    "Llama-3.2-1B": 1.24,
    "Llama-3.2-3B": 3.21,
    "Llama-4-Scout-17B-16E-Instruct": 107.77,
    "gpt-oss-20b": 20.91,
    "gpt-oss-120b": 116.83,
    "Qwen2.5-7B": 7.62,
    "Qwen2.5-14B": 14.77,
    "Qwen3-4B": 4.02,
    "Qwen3-8B": 8.19,
    "Qwen3-30B-A3B": 30.53,
    "Qwen3.5-9B": 8.95,
    "Qwen3.5-122B-A10B": 122.11,
    "Qwen3.6-27B": 26.90,
    "Qwen3.6-35B-A3B": 34.66,
    "Gemma-3-4b-it": 3.88,
    "Gemma-3-27b-it": 27.01,
    "gemma-3n-E4B": 6.87,
    "gemma-4-26B-A4B": 25.23,
    "Gemma-4-31B-IT": 30.70,
    "GLM-4.7-Flash": 29.94,
    "MiniMax-M2.7": 228.69,
    "Ministral-3-8B": 8.49,
    "Ministral-3-14B": 13.51,
    "Mistral-Small-3.1-24B": 23.57,
    "Nemotron-3-Super-120B-A12B": 120.67,
}
CARDS_B = {
    # Model cards round.
    "DeepSeek-V3": 671.0,
    "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": 31.6,
    "NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16": 550.0,
    "Nemotron-H-56B-Base-8K": 56.0,
    "DeepSeek-V2": 236.0,
    "DeepSeek-V2-Lite": 15.7,
    "DeepSeek-V4-Flash": 284.0,
    "MiMo-V2-Flash": 309.0,
    "GLM-5": 744.0,
    "LFM2-1.2B": 1.17,
    "LFM2-8B-A1B": 8.3,
    "OLMo-2-1124-13B": 13.7,
    "Gemma-2-9b": 9.24,
    "Gemma-2-27b": 27.2,
    "Phi-3.5-MoE": 41.9,
    "SmolLM3-3B": 3.08,
    "Laguna-S-2.1": 117.6,
    "Llama-3_3-Nemotron-Super-49B-v1": 49.9,
}
ACTIVE_B = {
    # With the input embedding, as the cards count: Qwen3 A3B 3.3, gpt-oss 3.6 and 5.1, DeepSeek-V3 37, V4 13 and 49.
    "Qwen3-30B-A3B": 3.35,
    "gpt-oss-20b": 4.19,
    "DeepSeek-V3": 37.6,
    "DeepSeek-V4-Flash": 13.8,
    "DeepSeek-V4-Pro": 49.8,
    "Nemotron-3-Super-120B-A12B": 12.8,
    "GLM-4.5": 33.6,
    "Mixtral-8x7B-v0.1": 12.88,
    "Laguna-S-2.1": 8.45,
}
PLAIN = [
    row
    for row in models().values()
    if row.family in {"llama", "qwen2", "qwen3", "mistral3", "olmo2", "smollm3", "granite", "internlm2", "exaone"}
]
NAMES = """
CodeLlama-34b-hf|DeepSeek-R1|DeepSeek-V4-Flash|GLM-4.7-Flash|Gemma-3-12b-it|Gemma-3-27b-it|Gemma-3-4b-it|Gemma-4-12B-it
Gemma-4-31B-IT|Gemma-4-E2B-it|Laguna-S-2.1|Llama 3 1B|Llama 3 3B|Llama 3 70B|Llama 3 8B|Llama-2-13b-hf|Llama-2-70b-hf
Llama-2-7B|Llama-3-70B|Llama-3-8B|Llama-3.1-405B|Llama-3.1-70B|Llama-3.1-8B|Llama-3.2-1B|Llama-3.2-3B|Llama-2-13B
Llama-3.3-70B-Instruct|Llama-4-Scout-17B-16E-Instruct|MiniMax-M2.7|Ministral-3-14B|Ministral-3-8B|Mistral-7B-v0.1
Mistral-7B-v0.3|Mixtral-8x7B-v0.1|Nemotron-3-Super-120B-A12B|QwQ-32B|Qwen2.5-14B|Qwen2.5-32B|Qwen2.5-7B|Qwen3-14B
Qwen3-30B-A3B|Qwen3-32B|Qwen3-4B|Qwen3-8B|Qwen3.5-122B|Qwen3.5-122B-A10B|Qwen3.5-4B|Qwen3.5-9B|Qwen3.6-27B|Llama-2-70B
Qwen3.6-35B-A3B|SmolLM2-135M|Ternary-Bonsai-8B|Vicuna-7B|gemma-3n-E4B|gemma-4-26B-A4B|gpt-oss-120b|gpt-oss-20b
""".replace("\n", "|").strip("|")


def parts_m(row: CatalogueModel) -> float:
    tables = row.embedding_m if row.tied else row.embedding_m + row.head_m
    rest = row.attention_m + row.dense_m + row.shared_m + row.expert_m + row.mixer_m + row.other_m + row.lookup_m
    return tables + rest


@pytest.mark.parametrize("row", models().values(), ids=lambda row: row.name)
def test_parts_sum_to_the_whole(row: CatalogueModel) -> None:
    assert parts_m(row) == pytest.approx(row.parameters_m, rel=5e-3)
    assert row.embedding_m * 1e6 == pytest.approx(row.vocab * row.hidden, rel=5e-3)
    idle = row.expert_m * (1 - row.experts_used / row.experts) if row.experts else 0.0
    lookups = row.lookup_m + (0.0 if row.tied else row.embedding_m)
    assert row.active_m == pytest.approx(row.parameters_m - idle - lookups, rel=5e-3)


@pytest.mark.parametrize("row", models().values(), ids=lambda row: row.name)
def test_every_row_is_whole(row: CatalogueModel) -> None:
    assert row.source
    assert row.layers > 0
    assert row.hidden > 0
    assert (row.window is None) == (row.window_layers == 0) or row.family == "deepseek4"
    assert bool(row.experts) == bool(row.experts_used) == bool(row.expert_m) == bool(row.moe_ffn)
    assert bool(row.linear_layers) == bool(row.mixer_m) == bool(row.state_elements)
    assert row.full_layers + row.window_layers + row.linear_layers <= row.layers
    assert row.window_width <= row.attention_width


@pytest.mark.parametrize(("name", "billions"), PUBLISHED_B.items())
def test_published_totals(name: str, billions: float) -> None:
    assert model(name).parameters_m / 1e3 == pytest.approx(billions, rel=4e-3)


@pytest.mark.parametrize(("name", "billions"), CARDS_B.items())
def test_totals_of_model_cards(name: str, billions: float) -> None:
    assert model(name).parameters_m / 1e3 == pytest.approx(billions, rel=7e-3)


@pytest.mark.parametrize(("name", "billions"), ACTIVE_B.items())
def test_published_active_counts(name: str, billions: float) -> None:
    row = model(name)
    assert (row.active_m + row.embedding_m) / 1e3 == pytest.approx(billions, rel=1e-2)


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.name)
def test_plain_transformers_follow_from_their_shape(row: CatalogueModel) -> None:
    assert row.heads and row.kv_heads and row.head_dim and row.ffn
    attention = row.layers * row.hidden * row.head_dim * (2 * row.heads + 2 * row.kv_heads)
    assert row.attention_m * 1e6 == pytest.approx(attention, rel=1e-5)
    assert row.dense_m * 1e6 == pytest.approx(3 * row.hidden * row.ffn * row.layers, rel=1e-5)
    assert row.kv_elements == 2 * row.layers * row.kv_heads * row.head_dim
    assert row.attention_width == row.layers * row.heads * row.head_dim


def test_latent_attention_keeps_one_small_vector_a_layer() -> None:
    assert model("DeepSeek-V3").kv_elements == (512 + 64) * 61
    assert model("Kimi-K2-Instruct").kv_elements == (512 + 64) * 61
    assert model("GLM-5").kv_elements == (512 + 64 + 128) * 78  # with the keys of its sparse index
    assert model("GLM-5.2").kv_elements == (512 + 64) * 78 + 128 * 21  # one index in four layers
    assert model("GLM-4.7-Flash").kv_elements == (512 + 64) * 47


def test_windows_keep_their_own_cache() -> None:
    gemma = model("Gemma-4-31B-IT")  # 10 global layers, 4 heads of 512; 50 local ones, 16 heads of 256
    assert gemma.kv_elements == 2 * 10 * 4 * 512
    assert gemma.kv_window_elements == 2 * 50 * 16 * 256
    assert gemma.attention_width == 32 * (10 * 512 + 50 * 256)
    flash = model("MiMo-V2-Flash")  # 9 global layers with 4 KV heads, 39 local ones with 8; keys 192, values 128
    assert flash.kv_elements == 9 * 4 * (192 + 128)
    assert flash.kv_window_elements == 39 * 8 * (192 + 128)
    small = model("Gemma-4-E2B-it")  # the last 20 of 35 layers look into the caches of the first 15
    assert small.kv_elements == 2 * 3 * 512
    assert small.kv_window_elements == 2 * 12 * 256


def test_hybrids_have_a_state_and_few_caches() -> None:
    qwen = model("Qwen3.6-35B-A3B")
    assert (qwen.full_layers, qwen.linear_layers) == (10, 30)
    assert qwen.kv_elements == 2 * 10 * 2 * 256
    assert qwen.state_elements == 30 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128))
    nano = model("Nemotron-3-Nano-30B-A3B")
    assert (nano.full_layers, nano.linear_layers) == (6, 23)
    assert nano.state_elements == 23 * (64 * 64 * 128 + 3 * (64 * 64 + 2 * 8 * 128))


@pytest.mark.parametrize("name", NAMES.split("|"))
def test_names_that_measurements_use(name: str) -> None:
    assert model(name).parameters_m > 0


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Meta-Llama-3.1-8B-Instruct", "Meta-Llama-3.1-8B"),
        ("llama3.1:8b", "Llama-3.1-8B"),
        ("llama3.1:8b-instruct-q4_K_M", "Llama-3.1-8B"),
        ("Qwen/Qwen3-8B", "Qwen3-8B"),
        ("qwen3-8b", "Qwen3-8B"),
        ("unsloth/Qwen3.6-35B-A3B-GGUF:UD-Q4_K_XL", "Qwen3.6-35B-A3B"),
        ("Qwen3-Next-80B-A3B-Instruct-UD-Q3_K_XL", "Qwen3-Next-80B-A3B"),
        ("Llama-3.2-3B-Instruct-Q4_K_M.gguf", "Llama-3.2-3B"),
        ("bartowski/google_gemma-3-27b-it-GGUF", "Gemma-3-27b-it"),
        ("meta-llama_Llama-3.1-8B-Instruct", "Llama-3.1-8B"),
        ("Qwen2.5-7B-Instruct-GPTQ-Int4", "Qwen2.5-7B"),
        ("Qwen3-32B-AWQ", "Qwen3-32B"),
        ("openai/gpt-oss-20b", "gpt-oss-20b"),
        ("Command-R+", "Command-R-plus"),
        ("Qwen3.5-122B", "Qwen3.5-122B-A10B"),
    ],
)
def test_other_spellings(said: str, meant: str) -> None:
    assert model(said).name == meant


@pytest.mark.parametrize(
    ("said", "near"),
    [("Lama-3-8B", "Llama-3-8B"), ("Qwen3-30B-A3", "Qwen3-30B-A3B"), ("gpt-os-20b", "gpt-oss-20b")],
)
def test_a_misspelt_name_is_refused_with_the_right_one(said: str, near: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        model(said)
    assert near in str(refusal.value)


def test_a_part_of_a_name_is_no_name() -> None:
    for part in ("llama", "8B", "Qwen3", "Llama-3", "coder", "Command-R+ 2"):
        with pytest.raises(UnknownName):
            model(part)


@given(st.text(max_size=200))
@example("Qwen3-8B\n")
@example("///")
@example("\N{SUPERSCRIPT TWO}GGUF")
def test_any_text_is_a_model_or_one_line(text: str) -> None:
    try:
        assert model(text) in models().values()
    except UnknownName as refusal:
        assert len(str(refusal).splitlines()) == 1  # noqa: PT017


def test_facts_say_what_one_token_reads() -> None:
    facts = model("Qwen3-30B-A3B").facts(number_format("F16"))
    assert facts.source == "catalogue"
    assert facts.parameters == pytest.approx(30.53e9, rel=1e-3)
    assert facts.weight_bytes == pytest.approx(2 * 30.53e9, rel=2e-3)
    assert active_parameters(facts) == pytest.approx(3.04e9, rel=1e-2)
    assert weight_bytes_read(facts) == pytest.approx(2 * 3.04e9, rel=1e-2)
    lookups = model("Gemma-4-E4B-it").facts(number_format("F16"))
    assert active_parameters(lookups) == pytest.approx(4.64e9, rel=1e-2)


def test_facts_take_the_size_of_the_real_file() -> None:
    row, fmt = model("Gemma-3-4b-it"), number_format("Q4_0")
    by_bits, real = row.facts(fmt), row.facts(fmt, 2.35 * 2**30)
    assert real.weight_bytes is not None
    assert real.weight_bytes == round(2.35 * 2**30)
    assert by_bits.weight_bytes is not None
    assert by_bits.embedding_bytes is not None
    share = real.weight_bytes / by_bits.weight_bytes
    assert real.embedding_bytes == pytest.approx(by_bits.embedding_bytes * share, rel=1e-6)


def test_four_bit_experts_keep_their_size() -> None:
    row, fmt = model("gpt-oss-20b"), number_format("MXFP4")
    expert_bytes = 24 * 32 * 3 * 2880 * 2880 * 4.25 / 8
    file = row.facts(fmt, 12.8e9)
    assert file.expert_bytes == pytest.approx(expert_bytes, rel=1e-6)
    assert file.weight_bytes == pytest.approx(12.8e9)
    odd = row.facts(fmt, 30e9)  # leaves more than 16 bits for the rest: not this kind of file
    assert odd.expert_bytes > 1.5 * expert_bytes
    assert odd.weight_bytes == pytest.approx(30e9)


def test_half_of_the_experts_can_be_gone() -> None:
    row = model("Qwen3.6-35B-A3B")
    whole, half = row.facts(number_format("Q4_K_M")), row.facts(number_format("gguf-q4_k_m-reap50"))
    assert half.expert_count == 128
    assert half.expert_bytes == pytest.approx(whole.expert_bytes / 2, rel=1e-6)
    read, left = weight_bytes_read(whole), weight_bytes_read(half)
    assert read is not None
    assert left == pytest.approx(read, rel=1e-6)


def test_loading_needs_no_numpy() -> None:
    code = "import sys; from llmtop.estimator.catalogue.models import models; models(); print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
