"""Engines by the names that people use for them, and the age of a build."""

import pytest
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.estimator.software import ALIASES, ANY, ENGINES, ERAS, UNKNOWN, Software, engine, year
from llmtop.probes.engines import ENGINES as READ
from llmtop.probes.engines.observed import Observed
from llmtop.probes.hook.naming import LIBRARIES


@pytest.mark.parametrize(
    ("name", "kin", "split"),
    [
        ("llama.cpp", "llama.cpp", "layers"),
        ("MLC LLM", "compiled", "tensors"),
        ("CTranslate2", "compiled", "tensors"),
        ("vLLM", "serving", "tensors"),
        ("TGI", "serving", "tensors"),
        ("ExLlama", "exllama", "layers"),
        ("ExLlama_HF", "exllama", "layers"),
        ("TabbyAPI", "exllama", "tensors"),
        ("text-generation-webui", "llama.cpp", "layers"),
        ("DeepSpeed-MII", "serving", "tensors"),
        ("OpenLLM", "serving", "tensors"),
        ("Ray Serve", "serving", "tensors"),
        ("LMDeploy", "serving", "tensors"),
        ("TurboMind", "serving", "tensors"),
        ("Ollama", "llama.cpp", "layers"),
        ("SGLang", "serving", "tensors"),
        ("LM Studio", "llama.cpp", "layers"),
        ("KoboldCpp", "llama.cpp", "layers"),
        ("mlx-lm", "mlx", "layers"),
        ("exllamav2", "exllama", "layers"),
        ("exllamav3", "exllama", "tensors"),
        ("TensorRT-LLM", "compiled", "tensors"),
        ("llamafile", "llama.cpp", "layers"),
        ("llama-swap", "llama.cpp", "layers"),
        ("llama-cpp-python", "llama.cpp", "layers"),
        ("LocalAI", "llama.cpp", "layers"),
        ("Lemonade", "llama.cpp", "layers"),
        ("NIM", "serving", "tensors"),
        ("Dynamo", "serving", "tensors"),
        ("Triton", "compiled", "tensors"),
        ("transformers", "eager", "layers"),
        ("transformers serve", "eager", "layers"),
        ("oMLX", "mlx", "layers"),
        ("vllm-metal", "mlx", "layers"),
        ("OpenAI-compatible", "any", "layers"),
    ],
)
def test_every_engine_is_known_by_its_name(name: str, kin: str, split: str) -> None:
    found = engine(name)
    assert (found.kin, found.split) == (kin, split)
    assert engine(name.upper()) == engine(name.lower()) == found


def test_every_engine_that_is_read_is_known() -> None:
    """`Observed` has no name of its own: it tells that of the engine behind it."""
    shown = {each.name for each in READ if each is not Observed} | {each.name for each in LIBRARIES.values()}
    assert {name: engine(name).name for name in sorted(shown)}.keys() == shown
    assert len(shown) > 20


def test_of_an_engine_behind_an_api_nothing_is_known() -> None:
    """No constants but those of the hardware, and the range of all rows."""
    known = engine("OpenAI-compatible")
    assert (known.name, known.kin) == (UNKNOWN, ANY)
    assert not {ANY, UNKNOWN} & {
        name for each in ENGINES.values() if each is not known for name in (each.kin, each.name)
    }


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("llama-server", "llama.cpp"),
        ("llamacpp", "llama.cpp"),
        ("text-generation-inference", "TGI"),
        ("oobabooga", "text-generation-webui"),
        ("mlc_llm", "MLC LLM"),
        ("ray-serve", "Ray Serve"),
        ("trtllm", "TensorRT-LLM"),
        ("LM-Studio", "LM Studio"),
    ],
)
def test_other_names_mean_the_same_engine(written: str, name: str) -> None:
    assert engine(written).name == name


@pytest.mark.parametrize(
    ("misspelt", "nearest"),
    [
        ("lama.cpp", "llama.cpp"),
        ("vlllm", "vLLM"),
        ("Olama", "Ollama"),
        ("SGLangs", "SGLang"),
        ("kobolcp", "KoboldCpp"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(misspelt: str, nearest: str) -> None:
    with pytest.raises(UnknownName) as caught:
        engine(misspelt)
    first = str(caught.value).partition("; nearest: ")[2].partition(",")[0]
    assert first == nearest
    assert "\n" not in str(caught.value)


def test_aliases_belong_to_engines_that_exist() -> None:
    assert set(ALIASES) <= set(ENGINES)
    assert set(ERAS) <= {each.kin for each in ENGINES.values()}
    assert all(name == each.name for name, each in ENGINES.items())


def test_prompts_go_through_in_the_default_batch_of_the_engine() -> None:
    """llama.cpp's --ubatch-size is 512; vLLM's max_num_batched_tokens 2048."""
    assert (engine("llama.cpp").chunk, engine("Ollama").chunk) == (512, 512)
    assert (engine("vLLM").chunk, engine("SGLang").chunk) == (2048, 2048)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05", 2024 + 4 / 12),
        ("2024-01", 2024.0),
        ("2024.12", 2024 + 11 / 12),
        ("b6700 (2025-10-05)", 2025 + 9 / 12),
        ("8e672ef (2023-11)", 2023 + 10 / 12),
        ("2023", 2023.0),
        ("2024-13", None),
        ("2024-00", None),
        ("8e672ef (2023-11) or later", None),
        ("0.6.2", None),
        ("b12023", None),
        ("20240501", None),
        ("1999-05", None),
        ("", None),
    ],
)
def test_the_year_of_a_build(text: str, expected: float | None) -> None:
    assert year(text) == (None if expected is None else pytest.approx(expected))


def test_old_builds_have_constants_of_their_own() -> None:
    """Flash attention and CUDA graphs came to llama.cpp in 2024; vLLM 0.6 in September of it."""

    def names(name: str, built: float | None) -> tuple[str, ...]:
        return Software(engine=engine(name), backend="cuda", year=built).names

    assert names("llama.cpp", None) == ("llama.cpp",)
    assert names("llama.cpp", 2024.0) == ("llama.cpp", "before flash attention")
    assert names("llama.cpp", 2025.0) == ("llama.cpp",)
    assert names("Ollama", 2023.5) == ("llama.cpp", "Ollama", "before flash attention")
    assert names("vLLM", 2024.0) == ("serving", "vLLM", "before asynchronous scheduling")
    assert names("vLLM", 2025.5) == ("serving", "vLLM")
    assert names("ExLlama", 2023.5) == ("exllama", "ExLlama")
