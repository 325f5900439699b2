"""Whole predictions: published figures, laws that hold on all of the catalogue, and what the package loads."""

import subprocess
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from llmtop.estimator.catalogue.devices import device, devices
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.expected import prompt
from llmtop.estimator.model import Load
from llmtop.estimator.predict import Prediction, predict
from llmtop.estimator.question import Question, plan
from llmtop.estimator.rates import rates
from llmtop.estimator.roofline import ceiling
from llmtop.estimator.silicon import default_backend
from llmtop.estimator.software import Software, engine
from llmtop.probes.sample import Bandwidth, Device, ModelFacts
from msgspec.structs import replace

MODELS = (
    "SmolLM2-135M",
    "Qwen2.5-0.5B",
    "Llama-3.2-1B",
    "Llama-2-7B",
    "Llama-3.1-8B",
    "Gemma-3-27b-it",
    "Llama-3.1-70B",
    "Mixtral-8x7B-v0.1",
    "gpt-oss-20b",
    "Qwen3-30B-A3B",
    "Qwen3-Next-80B-A3B",
    "DeepSeek-V3",
)
FORMATS = ("Q4_0", "Q4_K_M", "Q8_0", "F16")
DENSE = ("Qwen2.5-0.5B", "Llama-3.2-1B", "Llama-2-7B", "Llama-3.1-8B", "Gemma-3-27b-it")
NAMES = tuple(devices())
GPUS = tuple(name for name, row in devices().items() if row.kind != "cpu")
SEED = model("Llama-2-7B").facts(known_format("Q4_0"), 3_825_807_360)  # the file on the hub, 3.56 GiB


def facts(name: str, quantization: str, weight_bytes: float | None = None) -> ModelFacts:
    return model(name).facts(known_format(quantization), weight_bytes)


def on(name: str) -> Device:
    return device(name).as_device(name)


def asked(card: Device, of: ModelFacts, name: str = "llama.cpp", **rest: object) -> Question:
    software = Software(engine=engine(name), backend=default_backend(card))
    return replace(Question(facts=of, software=software, devices=(card,)), **rest)


def answered(name: str, quantization: str, card: str, count: int = 1, **rest: object) -> Prediction:
    one = asked(on(card), facts(name, quantization))
    return predict(replace(one, devices=(on(card),) * count, **rest))


def test_llama_2_7b_in_q4_0_on_an_rtx_4090() -> None:
    """llama-bench tg128: 186.2 in llama.cpp discussion 15013, 187.7 with b4011 (lhl/intel-inference, late 2024)."""
    found = predict(asked(on("RTX 4090"), SEED, prompt=0.0, generate=128.0))
    for published in (186.2, 187.7):
        assert found.decode_tps.value == pytest.approx(published, rel=0.08)
        assert found.decode_tps.low < published < found.decode_tps.high
    read = 3_825_807_360 - 32_000 * 4_096 * 4.5 / 8  # all but the embedding table
    cache = 2 * 32 * 4_096 * 2 * 64  # keys and values, 16 bit, half of 128 tokens
    assert found.bytes_per_step == pytest.approx(read + cache, rel=2e-3)
    assert found.ceiling.decode_tps == pytest.approx(1008.4e9 / (read + cache), rel=2e-3)
    assert (found.limit, found.fits, found.streams) == ("bandwidth", True, 1.0)
    assert found.prefill_tps is None and found.ttft_s is None
    assert found.longest_context == 4_096


def test_the_rules_of_thumb_stand_beside_it_and_are_not_it() -> None:
    """1008 GB/s over 7 B and over 6.738 B: both miss what is published by a fifth and more."""
    rules = predict(asked(on("RTX 4090"), SEED)).rules_of_thumb
    assert rules["bandwidth / parameters in the name"] == pytest.approx(144.0, rel=1e-3)
    assert rules["bandwidth / parameters"] == pytest.approx(149.6, rel=2e-3)


def test_a_prompt_of_512_on_an_rtx_4090() -> None:
    """llama-bench pp512 of the same file: 11992.7 in llama.cpp discussion 15013."""
    found = predict(asked(on("RTX 4090"), SEED, prompt=512.0))
    assert found.prefill_tps is not None and found.ttft_s is not None
    assert found.prefill_tps.value == pytest.approx(11_992.7, rel=0.15)
    assert found.prefill_tps.value == pytest.approx(11_992.7, rel=0.25)
    assert found.ttft_s.value == pytest.approx(512 / found.prefill_tps.value)
    assert found.ttft_s.low == pytest.approx(512 / found.prefill_tps.high)
    assert found.ttft_s.high == pytest.approx(512 / found.prefill_tps.low)


@pytest.mark.parametrize("quantization", FORMATS)
def test_nothing_expected_passes_the_ceiling_on_any_device(quantization: str) -> None:
    """The promise of the three numbers, before and after the range is cut at the ceiling."""
    for name in NAMES:
        card = on(name)
        for of in (facts(each, quantization) for each in MODELS):
            question = asked(card, of)
            laid = plan(question)
            found = rates(question, laid)
            roof = found.ceiling
            assert roof.decode_tps is not None, name
            assert 1.0 / found.step.seconds <= roof.decode_tps, (name, of.name)
            for band, top in (
                (found.decode_tps, roof.decode_tps),
                (found.throughput_tps, roof.decode_tps),
                (found.prefill_tps, roof.prefill_tps),
            ):
                assert band is not None
                assert 0.0 < band.low <= band.value <= band.high, (name, of.name)
                assert top is None or band.high <= top, (name, of.name)


@pytest.mark.parametrize("quantization", ["IQ2_XS", "Q8_0"])
def test_a_prompt_needs_not_be_cut_at_the_ceiling(quantization: str) -> None:
    """Within 2 %: Polaris cards, of which nobody published a prompt, come to 1.01 of theirs."""
    passing: list[str] = []
    for name in GPUS:
        question = asked(on(name), facts("Llama-2-7B", quantization))
        roof = ceiling(question.facts, Load(), list(question.devices)).prefill_tps
        if roof and 512.0 / prompt(plan(question).setup, 512.0).seconds > 1.02 * roof:
            passing.append(name)
    assert passing == []


LAWS = settings(max_examples=120, deadline=None)
A_DEVICE = st.sampled_from(NAMES)
A_GPU = st.sampled_from(GPUS)
A_MODEL = st.builds(facts, st.sampled_from(MODELS), st.sampled_from(FORMATS))
A_DENSE = st.builds(facts, st.sampled_from(DENSE), st.sampled_from(FORMATS))
AN_ENGINE = st.sampled_from(["llama.cpp", "Ollama", "vLLM", "ExLlamaV2", "MLX", "TensorRT-LLM"])
STREAMS = st.sampled_from([1.0, 2.0, 8.0, 64.0])


def rising(slower: float, faster: float) -> bool:
    return faster >= slower * (1 - 1e-9)


@given(A_DEVICE, A_MODEL, AN_ENGINE, STREAMS, st.floats(1.0, 4.0))
@LAWS
def test_more_bandwidth_is_never_slower(name: str, of: ModelFacts, kin: str, streams: float, factor: float) -> None:
    card = on(name)
    wider = replace(card, bandwidth_gbs=Bandwidth(peak=(card.bandwidth_gbs.peak or 0.0) * factor))
    slow, fast = (predict(asked(each, of, kin, streams=streams)) for each in (card, wider))
    assert rising(slow.decode_tps.value, fast.decode_tps.value)
    assert rising(slow.throughput_tps.value, fast.throughput_tps.value)
    assert slow.prefill_tps is not None and fast.prefill_tps is not None
    assert rising(slow.prefill_tps.value, fast.prefill_tps.value)


@given(A_DEVICE, A_MODEL, AN_ENGINE, STREAMS, st.tuples(st.integers(0, 60_000), st.integers(1, 60_000)))
@LAWS
def test_a_longer_context_is_never_faster(
    name: str, of: ModelFacts, kin: str, streams: float, tokens: tuple[int, int]
) -> None:
    short, long = (
        predict(asked(on(name), of, kin, streams=streams, context=float(each))) for each in (tokens[0], sum(tokens))
    )
    assume(long.fits)
    assert short.fits
    assert rising(long.decode_tps.value, short.decode_tps.value)
    assert long.memory_bytes >= short.memory_bytes


@given(A_DEVICE, A_MODEL, AN_ENGINE, STREAMS, st.floats(0.6, 1.0))
@LAWS
def test_a_smaller_file_of_a_kind_is_never_slower(
    name: str, whole: ModelFacts, kin: str, streams: float, share: float
) -> None:
    less = facts(whole.name, whole.quantization or "", (whole.weight_bytes or 0) * share)
    slow, fast = (predict(asked(on(name), each, kin, streams=streams)) for each in (whole, less))
    assume(slow.fits)
    assert fast.fits
    assert rising(slow.decode_tps.value, fast.decode_tps.value)


@given(A_DEVICE, A_MODEL, AN_ENGINE, STREAMS, st.tuples(st.integers(1, 9_000), st.integers(1, 9_000)))
@LAWS
def test_a_longer_prompt_waits_longer_for_its_first_token(
    name: str, of: ModelFacts, kin: str, streams: float, tokens: tuple[int, int]
) -> None:
    short, long = (
        predict(asked(on(name), of, kin, streams=streams, prompt=float(each), context=10_000.0))
        for each in (tokens[0], sum(tokens))
    )
    assume(short.fits)  # from 32 tokens on the GPU works for the host's layers, which may be quicker than 31 were
    assert short.ttft_s is not None and long.ttft_s is not None
    assert short.ttft_s.value < long.ttft_s.value
    assert short.ttft_s.low <= short.ttft_s.value <= short.ttft_s.high
    assert rising(long.throughput_tps.value, short.throughput_tps.value)
    assert rising(short.throughput_tps.value, short.decode_tps.value)
    assert rising(long.throughput_tps.value, long.decode_tps.value)


@given(A_GPU, A_MODEL, STREAMS, st.floats(0.2, 1.0), st.floats(0.2, 1.0))
@LAWS
def test_a_power_limit_never_speeds_up(name: str, of: ModelFacts, streams: float, one: float, other: float) -> None:
    card = on(name)
    stock = card.power_limit_default_w
    assume(stock is not None)
    free = predict(asked(card, of, streams=streams))
    low, high = (
        predict(asked(card, of, streams=streams, power_limit_w=(stock or 0.0) * share))
        for share in (min(one, other), max(one, other))
    )
    assert rising(low.decode_tps.value, high.decode_tps.value)
    assert rising(high.decode_tps.value, free.decode_tps.value)
    assert free.prefill_tps is not None and high.prefill_tps is not None
    assert rising(high.prefill_tps.value, free.prefill_tps.value)
    if low.draw is not None and free.draw is not None:
        assert 0.0 < low.draw.kept <= 1.0 and free.draw.kept == 1.0
        assert low.draw.power_w <= free.draw.power_w


@given(A_GPU, A_DENSE, st.sampled_from(["vLLM", "SGLang", "TensorRT-LLM"]), st.integers(1, 128), st.integers(1, 128))
@LAWS
def test_more_streams_of_a_dense_model_never_make_less_together(
    name: str, of: ModelFacts, kin: str, streams: int, more: int
) -> None:
    few, many = (predict(asked(on(name), of, kin, streams=float(each))) for each in (streams, streams + more))
    assume(many.fits)
    assert rising(few.decode_tps.value, many.decode_tps.value)


@pytest.mark.parametrize("name", ["Apple M1 Max 24c", "EPYC 9015", "T600"])
def test_a_second_stream_of_llama_cpp_does_not_make_less_together(name: str) -> None:
    for of in (facts(each, "Q4_K_M") for each in ("Llama-3.2-1B", "Llama-2-7B")):
        one, two = (predict(asked(on(name), of, streams=streams, context=128.0)) for streams in (1.0, 2.0))
        if two.fits:
            assert rising(one.decode_tps.value, two.decode_tps.value), of.name


def test_the_parts_are_the_whole() -> None:
    found = answered("Qwen3-30B-A3B", "Q4_K_M", "RTX 3090", 2, streams=4.0)
    step = sum(part.seconds for part in found.terms["decode"])
    assert 4.0 / step == pytest.approx(found.decode_tps.value)
    first = sum(part.seconds for part in found.terms["prefill"])
    assert found.ttft_s is not None and first == pytest.approx(found.ttft_s.value)
    assert found.throughput_tps.value == pytest.approx(4 * 128 / (4 * first + 128 * step))


def test_what_rests_on_an_assumption_says_so() -> None:
    found = answered("Llama-3.1-70B", "Q4_K_M", "RTX 4090")
    assert not found.fits and found.missing_bytes > 15 << 30
    assert "of the layers on a host CPU with 64 GB/s, assumed" in found.basis
    assert found.longest_context is None
    assert "\n" not in found.basis


def test_joules_are_watts_over_tokens() -> None:
    free = answered("Llama-3.1-8B", "Q4_K_M", "RTX 3090")
    limited = answered("Llama-3.1-8B", "Q4_K_M", "RTX 3090", power_limit_w=250.0)
    for found in (free, limited):
        assert found.draw is not None
        assert found.draw.joules_per_token == pytest.approx(found.draw.power_w / found.decode_tps.value)
    assert limited.draw is not None and limited.draw.power_w <= 250.0
    assert limited.decode_tps.value == pytest.approx(free.decode_tps.value * limited.draw.kept)
    assert answered("Llama-3.1-8B", "Q4_K_M", "EPYC 9654").draw is None


def test_loading_it_loads_little() -> None:
    """The core answers in a shell: nothing of the screen, of the probes or of numerics comes with it."""
    code = "import sys, llmtop.estimator.predict, llmtop.estimator.accuracy; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {each.partition(".")[0] for each in done.stdout.split()}
    assert loaded.isdisjoint({"numpy", "scipy", "pandas", "psutil", "textual", "rich", "asyncio", "pynvml", "httpx"})
    assert "llmtop.tui" not in done.stdout


def test_cards_that_work_in_turn_do_not_draw_as_much_as_both() -> None:
    one, two = (answered("Llama-2-7B", "Q4_0", "RTX 3090", count) for count in (1, 2))
    assert one.draw is not None and two.draw is not None
    assert two.draw.power_w < 1.5 * one.draw.power_w


def test_the_limit_of_a_card_does_not_slow_the_host() -> None:
    """Nine tenths of 405 B parameters are on the host: the card has less than a fiftieth of the time."""
    free = answered("Llama-3.1-405B", "Q4_0", "RTX 3090")
    limited = answered("Llama-3.1-405B", "Q4_0", "RTX 3090", power_limit_w=200.0)
    assert limited.decode_tps.value > 0.95 * free.decode_tps.value


def test_copies_have_the_context_that_one_of_them_has() -> None:
    one = answered("Llama-3.1-8B", "Q8_0", "RTX 3090", 1, streams=4.0)
    two = answered("Llama-3.1-8B", "Q8_0", "RTX 3090", 2, streams=8.0, copies=2)
    assert one.longest_context == two.longest_context
