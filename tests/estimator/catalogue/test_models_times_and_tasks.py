"""When the models of the catalogue came out, and what they are made for."""

import re
from itertools import pairwise

import pytest
from llmtop.estimator.catalogue.formats import format as number_format
from llmtop.estimator.catalogue.models import CatalogueModel, model, models
from llmtop.estimator.model import active_parameters, weight_bytes_read

WORDS = {"chat", "code", "vision", "reasoning", "embed", "base"}
ALL = models().values()
FIRST, LAST = "2022-01", "2026-11"
RELEASED = {
    # Announcements of their makers.
    "Llama-2-7b-hf": "2023-07",
    "Mixtral-8x7B-v0.1": "2023-12",
    "Llama-3.1-8B": "2024-07",
    "DeepSeek-R1": "2025-01",
    "Gemma-3-27b-it": "2025-03",
    "Qwen3-8B": "2025-04",
    "gpt-oss-20b": "2025-08",
    "Kimi-K2.5": "2026-01",
    "Gemma-4-12B-it": "2026-06",
    "Laguna-S-2.1": "2026-07",
}
ORDERED = [
    ["llama-65b", "Llama-2-70b-hf", "Llama-3-70B", "Llama-3.1-70B", "Llama-3.2-3B", "Llama-3.3-70B-Instruct"],
    ["Qwen2.5-7B", "Qwen3-8B", "Qwen3-Next-80B-A3B", "Qwen3.5-35B-A3B", "Qwen3.6-35B-A3B", "Qwen3.8-27B"],
    ["Gemma-7b", "Gemma-2-9b", "Gemma-3-4b-it", "gemma-3n-E4B", "Gemma-4-31B-IT", "Gemma-4-12B-it"],
    ["glm-4-9b-0414", "GLM-4.5", "GLM-4.7-Flash", "GLM-5", "GLM-5.1", "GLM-5.2"],
    ["Kimi-K2-Instruct", "Kimi-K2.5", "Kimi-K2.6", "Kimi-K2.7-Code", "Kimi-K3"],
    ["DeepSeek-V2", "DeepSeek-V3", "DeepSeek-R1", "DeepSeek-V3.2", "DeepSeek-V4-Flash"],
    ["MiniMax-M2.5", "MiniMax-M2.7", "MiniMax-M3"],
    ["Mistral-7B-v0.1", "Mistral-7B-v0.3", "Mistral-Nemo-12B", "Mistral-Small-3.1-24B", "Ministral-3-8B"],
    ["phi-2", "Phi-3-mini-4k-instruct", "Phi-3-medium", "Phi-3.5-MoE", "phi-4", "Phi-4-mini-instruct"],
    ["OLMoE-1B-7B", "OLMo-2-1124-7B", "OLMo-2-0325-32B", "OLMo-3-7B"],
    [
        "NVIDIA-Nemotron-Nano-9B-v2",
        "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
        "Nemotron-3-Super-120B-A12B",
        "NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16",
    ],
    ["Laguna-XS.2", "Laguna-S-2.1"],
    ["falcon-7b", "falcon-180B", "Falcon3-7B"],
]
TASKS = {
    "Llama-3.1-8B": {"chat"},
    "pythia-12b": {"base"},
    "gpt-oss-20b": {"chat", "reasoning"},
    "Qwen3-32B": {"chat", "reasoning"},
    "Qwen3.6-27B": {"chat", "vision", "reasoning"},
    "Qwen3-VL-8B-Instruct": {"chat", "vision"},
    "Gemma-3-1b-it": {"chat"},
    "Gemma-3-4b-it": {"chat", "vision"},
    "Qwen2.5-Coder-7B": {"chat", "code"},
    "Qwen3-Coder-30B-A3B": {"chat", "code"},
    "Devstral-Small-2-24B": {"chat", "code", "vision"},
    "starcoder2-7b": {"base", "code"},
    "nomic-embed-text-v1.5": {"embed"},
}
EMBEDDING_PARAMETERS = {
    # embeddings-benchmark/mteb counts them in the weights, but nomic's, whose card says 137M.
    "Qwen3-Embedding-0.6B": 595_776_512,
    "Qwen3-Embedding-4B": 4_021_774_336,
    "Qwen3-Embedding-8B": 7_567_295_488,
    "embeddinggemma-300m": 307_581_696,
    "bge-m3": 567_754_752,
    "bge-large-en-v1.5": 335_141_888,
    "nomic-embed-text-v1.5": 136_731_648,
}


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_every_row_says_what_it_is_for(row: CatalogueModel) -> None:
    assert row.tasks
    assert set(row.tasks) <= WORDS
    assert len(set(row.tasks)) == len(row.tasks)
    assert len({"chat", "base", "embed"} & set(row.tasks)) == 1
    if "embed" in row.tasks:
        assert row.tasks == ("embed",)


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_months_are_months(row: CatalogueModel) -> None:
    if row.released is not None:
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", row.released)
        assert FIRST <= row.released <= LAST


def test_nearly_all_have_a_month() -> None:
    assert sum(row.released is not None for row in ALL) > 0.95 * len(ALL)


@pytest.mark.parametrize(("name", "month"), RELEASED.items())
def test_announced_months(name: str, month: str) -> None:
    assert model(name).released == month


@pytest.mark.parametrize("names", ORDERED, ids=lambda names: names[0])
def test_families_come_in_order(names: list[str]) -> None:
    months = [model(name).released for name in names]
    for earlier, later in pairwise(months):
        assert earlier is not None
        assert later is not None
        assert earlier <= later


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_a_month_in_the_name_is_the_month_or_the_one_after(row: CatalogueModel) -> None:
    """As in "Ministral-8B-Instruct-2410", "Command-R-08-2024", "OLMo-2-1124-7B"."""
    found = re.search(r"-(?:(2[3-6])(0[1-9]|1[0-2])|(0[1-9]|1[0-2])-?(?:20)?(2[3-6]))(?:-|$)", row.name)
    if found is None:
        return
    year, month = found[1] or found[4], found[2] or found[3]
    assert row.released is not None
    assert 0 <= _months(row.released) - _months(f"20{year}-{month}") <= 1


def _months(text: str) -> int:
    year, month = text.split("-")
    return 12 * int(year) + int(month)


@pytest.mark.parametrize(("name", "tasks"), TASKS.items())
def test_tasks_of_known_models(name: str, tasks: set[str]) -> None:
    assert set(model(name).tasks) == tasks


def test_names_that_say_their_task_have_it() -> None:
    for row in ALL:
        words = set(re.split(r"[-_.]", row.name.lower()))
        assert not words & {"coder", "code", "codestral", "devstral"} or "code" in row.tasks
        assert "vl" not in words or "vision" in row.tasks
        assert not words & {"thinking", "r1", "qwq"} or "reasoning" in row.tasks
        assert not any("embed" in word for word in words) or "embed" in row.tasks


def test_every_task_has_models() -> None:
    assert {word for row in ALL for word in row.tasks} == WORDS


@pytest.mark.parametrize(("name", "parameters"), EMBEDDING_PARAMETERS.items())
def test_embedding_models_are_counted_to_the_last_table(name: str, parameters: int) -> None:
    assert model(name).parameters_m * 1e6 == pytest.approx(parameters, abs=1500)


def test_an_embedding_model_has_no_head_and_reads_one_row_of_its_table() -> None:
    for row in ALL:
        if "embed" in row.tasks:
            facts = row.facts(number_format("F16"))
            assert facts.head_parameters == 0
            assert active_parameters(facts) == pytest.approx((row.parameters_m - row.embedding_m) * 1e6, rel=1e-3)
            assert weight_bytes_read(facts) is not None
            assert facts.weight_bytes == pytest.approx(2 * row.parameters_m * 1e6, rel=0.03)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("qwen2.5-coder:7b", "Qwen2.5-Coder-7B"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct-GGUF", "Qwen2.5-Coder-32B"),
        ("qwen3-coder:30b", "Qwen3-Coder-30B-A3B"),
        ("unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M", "Qwen3-Coder-30B-A3B"),
        ("devstral:24b", "Devstral-Small-24B"),
        ("deepseek-coder-v2:16b", "DeepSeek-Coder-V2-Lite"),
        ("Qwen2.5-VL-7B-Instruct", "Qwen2.5-VL-7B"),
        ("nomic-embed-text:latest", "nomic-embed-text-v1.5"),
        ("bge-m3", "bge-m3"),
        ("embeddinggemma:300m", "embeddinggemma-300m"),
        ("Qwen3-Embedding-0.6B-Q8_0.gguf", "Qwen3-Embedding-0.6B"),
    ],
)
def test_models_of_a_known_shape_go_by_their_own_name(said: str, meant: str) -> None:
    assert model(said).name == meant


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Qwen2.5-Coder-7B", "Qwen2.5-7B"),
        ("Qwen2.5-VL-7B", "Qwen2.5-7B"),
        ("Qwen3-Coder-30B-A3B", "Qwen3-30B-A3B"),
        ("Qwen3-Coder-Next", "Qwen3-Next-80B-A3B"),
        ("Devstral-Small-24B", "Mistral-Small-3.1-24B"),
        ("DeepSeek-Coder-V2-Lite", "DeepSeek-V2-Lite"),
    ],
)
def test_made_from_another_they_have_its_size(name: str, shape: str) -> None:
    one, other = model(name), model(shape)
    assert (one.parameters_m, one.active_m, one.kv_elements) == (other.parameters_m, other.active_m, other.kv_elements)
