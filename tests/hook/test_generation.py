"""What a program tells of its generations, and what becomes of it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from llmtop import hook
from llmtop.probes.hook.naming import model_name

from ..publish.reading import metrics
from .conftest import Seen


def test_tokens_and_prompt(model: str, seen_of: Seen) -> None:
    with hook.generation(engine="mine", model=model) as seen:
        seen.prompt(12, cached=2)
        assert (seen_of("requests_running"), seen_of("prefilling")) == (1, 1)
        seen.token()
        assert (seen_of("prefilling"), seen_of("generation_tokens_total"), seen_of("context_tokens")) == (0, 1, 13)
        seen.tokens(4)
        seen.tokens(np.int64(2), estimated=True)
        seen.generated(10)
    assert seen_of("generation_tokens_total") == 10
    assert seen_of("estimated_tokens") == 2
    assert (seen_of("prompt_tokens_total"), seen_of("cached_tokens_total")) == (12, 2)
    assert (seen_of("requests_running"), seen_of("requests_total")) == (0, 1)


def test_the_users_exception_goes_through_and_ends_it(model: str, seen_of: Seen) -> None:
    with pytest.raises(KeyError, match="mine"), hook.generation(engine="mine", model=model):
        raise KeyError("mine")
    assert (seen_of("requests_running"), seen_of("requests_total")) == (0, 1)


def test_an_iterator_of_tokens(model: str, seen_of: Seen) -> None:
    closed: list[bool] = []

    def tokens() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    with hook.generation(engine="mine", model=model) as seen:
        counted = seen.each(tokens())
        assert [next(counted) for _ in range(7)] == list(range(7))
        del counted
        assert closed == [True]
    assert seen_of("generation_tokens_total") == 7


def test_generations_in_threads_at_one_time(model: str, seen_of: Seen) -> None:
    def generate() -> None:
        for _ in range(20):
            with hook.generation(engine="mine", model=model) as seen:
                seen.prompt(5)
                for _ in range(50):
                    seen.token()

    threads = [Thread(target=generate) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert seen_of("requests_running") <= 8
    assert seen_of("generation_tokens_total") == 8 * 20 * 50
    assert seen_of("prompt_tokens_total") == 8 * 20 * 5
    assert seen_of("requests_total") == 8 * 20


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ctranslate2", "CTranslate2"),
        ("llama_cpp_python", "llama-cpp-python"),
        ("mlx-lm", "mlx-lm"),
        ("DeepSpeed-MII", "DeepSpeed-MII"),
        ("exllamav3", "ExLlamaV3"),
        ("Transformers", "transformers"),
        ("My Own", "My Own"),
    ],
)
def test_an_engine_has_one_name_however_it_is_written(written: str, shown: str, model: str) -> None:
    url = hook.publish()
    assert url is not None
    with hook.generation(engine=written, model=model, quantization="int8", version="1.2") as seen:
        seen.token()
    [info] = [labels for labels, _ in metrics(url)["llmtop_observed_info"] if labels["model"] == model]
    assert (info["engine"], info["quantization"], info["version"]) == (shown, "int8", "1.2")
    assert (info["observer"], info["upstream"], info["path"]) == ("hook", "", "")


def test_a_folder_of_weights_is_found_by_its_name(tmp_path: Path) -> None:
    cached = tmp_path / "models--Qwen--Qwen3-0.6B" / "snapshots" / "c1899de289a04d12100db370d81485cdf75e47ca"
    cached.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    assert model_name(str(cached)) == ("Qwen/Qwen3-0.6B", str(cached))
    assert model_name(str(tmp_path / "mine") + "/") == ("mine", str(tmp_path / "mine"))
    assert model_name("Qwen/Qwen3-0.6B") == ("Qwen/Qwen3-0.6B", "")
    assert model_name("") == ("", "")
    assert model_name("a\0b") == ("a\0b", "")
