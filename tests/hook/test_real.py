"""The libraries themselves, on small models of random weights, where they are installed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llmtop import hook

from ..publish.reading import metrics
from .conftest import Seen

Tensor = Any


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Two layers with 64 words, as CTranslate2 stores them."""
    ctranslate2: Any = pytest.importorskip("ctranslate2")
    common = pytest.importorskip("ctranslate2.specs.common_spec")
    transformer = pytest.importorskip("ctranslate2.specs.transformer_spec")
    spec: Any = transformer.TransformerDecoderModelSpec.from_config(
        2, 2, activation=common.Activation.SWISH, ffn_glu=True, rms_norm=True, rotary_dim=0, rotary_interleave=False
    )
    random = np.random.default_rng(1)

    def matrix(rows: int, columns: int) -> object:
        return random.standard_normal((rows, columns), dtype=np.float32)

    spec.decoder.scale_embeddings = False
    spec.decoder.embeddings.weight, spec.decoder.projection.weight = matrix(64, 32), matrix(64, 32)
    spec.decoder.layer_norm.gamma = np.ones(32, dtype=np.float32)
    for layer in spec.decoder.layer:
        attention, network = layer.self_attention, layer.ffn
        attention.layer_norm.gamma = network.layer_norm.gamma = np.ones(32, dtype=np.float32)
        attention.linear[0].weight, attention.linear[1].weight = matrix(96, 32), matrix(32, 32)
        network.linear_0.weight, network.linear_0_noact.weight = matrix(64, 32), matrix(64, 32)
        network.linear_1.weight = matrix(32, 64)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.config.layer_norm_epsilon = 1e-5
    spec.register_vocabulary(["<unk>", "<s>", "</s>", *(f"word{number}" for number in range(61))])
    spec.validate()
    spec.optimize(quantization="int8")
    folder = tmp_path_factory.mktemp("ctranslate2") / "decoder"
    folder.mkdir()
    spec.save(str(folder))
    return ctranslate2.Generator(str(folder), compute_type="int8", intra_threads=1), folder


def test_ctranslate2_one_callback_a_token(decoder: tuple[Any, Path], model: str, seen_of: Seen) -> None:
    generator, folder = decoder
    with hook.generation(engine="ctranslate2", model=model, path=folder, quantization=generator.compute_type) as seen:
        seen.prompt(1)
        [result] = generator.generate_batch(
            [["<s>"]], max_length=120, min_length=120, sampling_topk=1, callback=hook.ctranslate2.callback(seen)
        )
    assert len(result.sequences_ids[0]) == 120 == seen_of("generation_tokens_total")
    [info] = [labels for labels, _ in metrics(hook.publish() or "")["llmtop_observed_info"] if labels["model"] == model]
    assert (info["engine"], info["path"]) == ("CTranslate2", str(folder))
    assert info["quantization"].startswith("int8")
    assert info["version"]


def test_ctranslate2_batch_and_iterator(decoder: tuple[Any, Path], model: str, seen_of: Seen) -> None:
    generator, _ = decoder
    ends = [f"word{number}" for number in range(4)]
    with hook.generation(engine="ctranslate2", model=model, streams=3) as seen:
        results = generator.generate_batch(
            [["<s>"]] * 3, max_length=80, sampling_topk=40, end_token=ends, callback=hook.ctranslate2.callback(seen)
        )
    lengths = [len(result.sequences_ids[0]) for result in results]
    ended = sum(length < 80 for length in lengths)  # the token that ends a sequence is generated, and not given
    assert seen_of("generation_tokens_total") == sum(lengths) + ended
    assert seen_of("requests_total") == 3
    with hook.generation(engine="ctranslate2", model=model) as seen:
        steps = hook.ctranslate2.steps(seen, generator.generate_tokens(["<s>"], max_length=500, min_length=500))
        for _ in range(10):
            next(steps)
        del steps
    assert seen_of("generation_tokens_total") == sum(lengths) + ended + 10


def test_ctranslate2_goes_on_when_the_hook_is_off(decoder: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    generator, _ = decoder
    monkeypatch.setenv("LLMTOP_HOOK", "0")
    with hook.generation(engine="ctranslate2") as seen:
        [result] = generator.generate_batch(
            [["<s>"]], max_length=9, min_length=9, sampling_topk=1, callback=hook.ctranslate2.callback(seen)
        )
    assert len(result.sequences_ids[0]) == 9


PROMPT = 7
ENDS = [2, 3, 4, 5]


@pytest.fixture(scope="module")
def llama() -> tuple[Any, Any]:
    """Two layers with 64 words, of which four end an answer."""
    torch: Any = pytest.importorskip("torch")
    transformers: Any = pytest.importorskip("transformers")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        bos_token_id=1,
        eos_token_id=ENDS,
        pad_token_id=0,
    )
    return transformers.LlamaForCausalLM(config).eval(), torch.randint(6, 64, (3, PROMPT))


def generated(rows: Tensor) -> int:
    """Tokens up to the first that ends an answer, with it."""
    count = 0
    for row in rows[:, PROMPT:].tolist():
        end = next((place for place, token in enumerate(row) if token in ENDS), len(row) - 1)
        count += end + 1
    return count


def test_transformers_batch_is_exact(llama: tuple[Any, Any], model: str, seen_of: Seen) -> None:
    network, prompts = llama
    with hook.generation(engine="transformers", model=model) as seen:
        streamer = hook.transformers.Streamer(seen, end=ENDS)
        rows = network.generate(prompts, streamer=streamer, max_new_tokens=60, do_sample=True)
    assert seen_of("generation_tokens_total") == generated(rows)
    assert (seen_of("prompt_tokens_total"), seen_of("estimated_tokens"), seen_of("requests_total")) == (21, 0, 3)


@pytest.mark.parametrize("assisted", [False, True])
@pytest.mark.parametrize("way", ["streamer", "criterion"])
def test_transformers_one_sequence(
    llama: tuple[Any, Any], model: str, seen_of: Seen, way: str, *, assisted: bool
) -> None:
    network, prompts = llama
    guess = {"prompt_lookup_num_tokens": 3} if assisted else {}
    with hook.generation(engine="transformers", model=model) as seen:
        watch: dict[str, Any] = (
            {"streamer": hook.transformers.Streamer(seen, end=ENDS)}
            if way == "streamer"
            else {"stopping_criteria": [hook.transformers.Criterion(seen)]}
        )
        rows = network.generate(prompts[:1], max_new_tokens=40, do_sample=False, **watch, **guess)
    assert seen_of("generation_tokens_total") == generated(rows)
    assert seen_of("prompt_tokens_total") == PROMPT


def test_transformers_beams(llama: tuple[Any, Any], model: str, seen_of: Seen) -> None:
    network, prompts = llama
    with hook.generation(engine="transformers", model=model) as seen:
        criterion = hook.transformers.Criterion(seen, sequences=3)
        length = {"max_new_tokens": 12, "min_new_tokens": 12}
        network.generate(prompts, stopping_criteria=[criterion], num_beams=4, do_sample=False, **length)
    assert seen_of("generation_tokens_total") == seen_of("estimated_tokens") == 3 * 12
