"""What a question leaves open, and how the work is laid out."""

import pytest
from llmtop.estimator.predict import predict
from llmtop.estimator.question import MOST_STREAMS, Question, plan
from llmtop.estimator.software import Software, engine
from llmtop.estimator.terms import Unanswerable
from llmtop.probes.sample import Bandwidth, Device, ModelFacts
from msgspec.structs import replace

GIB = 1 << 30
KIB = 1 << 10
FACTS = ModelFacts(
    name="eight",
    source="test",
    parameters=8_000_000_000,
    weight_bytes=round(7.25 * GIB),
    embedding_bytes=GIB // 2,
    embedding_parameters=500_000_000,
    tied_embeddings=False,
    layers=32,
    hidden_size=4_096,
    head_parameters=500_000_000,
    kv_elements=64 * KIB,  # 128 KiB a token in 16 bit
    attention_width=131_072,
    context_length=131_072,
)
CARD = Device(
    id="d",
    name="card",
    vendor="NVIDIA",
    kind="gpu",
    memory_type="GDDR",
    memory_total_bytes=24 * GIB,
    bandwidth_gbs=Bandwidth(peak=900.0),
)
CPU = Device(
    id="c",
    name="processor",
    vendor="AMD",
    kind="cpu",
    memory_type="DDR",
    memory_total_bytes=20 * GIB,
    bandwidth_gbs=Bandwidth(peak=80.0),
)
VLLM = Software(engine=engine("vLLM"), backend="cuda")


def asked(software: Software = VLLM, devices: tuple[Device, ...] = (CARD,), **rest: object) -> Question:
    return replace(Question(facts=FACTS, software=software, devices=devices), **rest)


def test_the_depth_is_the_prompt_and_half_of_what_follows() -> None:
    assert asked(prompt=1_000.0, generate=200.0).depth == 1_100.0
    assert asked(prompt=1_000.0, generate=200.0, context=7_000.0).depth == 7_000.0
    assert asked(context=0.0).depth == 0.0
    assert asked().depth == 512 + 128 / 2


def test_the_memory_is_for_the_longest_that_a_stream_gets() -> None:
    """128 KiB a token and stream."""
    of = {
        4_096: asked(context=4_096.0, streams=2.0),
        6_128: asked(prompt=2_000.0, before=4_000.0, context=4_000.0, streams=2.0),
    }
    for tokens, question in of.items():
        assert plan(question).needed.kv_bytes == pytest.approx(tokens * 2 * 128 * KIB, abs=4)


def test_an_eight_bit_cache_takes_half() -> None:
    full, half = (plan(asked(context=4_096.0, kv_bytes_per_element=each)).needed for each in (2.0, 1.0))
    assert half.kv_bytes * 2 == full.kv_bytes
    assert half.weights_bytes == full.weights_bytes
    setup = plan(asked(kv_bytes_per_element=1.0625)).setup
    assert setup.kv_bytes_per_element == 1.0625


def test_as_many_streams_as_the_memory_holds() -> None:
    """Of 24 GiB vLLM has 0.9 x 24 = 21.6 GiB less 7.25 of weights and 1.3 of its own: 104 of 1024 x 128 KiB."""
    question = asked(streams=None, prompt=896.0, generate=128.0)
    assert plan(question).setup.streams == 104.0
    assert plan(question).placement.fits
    short = plan(replace(question, prompt=10.0, generate=10.0))
    assert short.setup.streams == MOST_STREAMS == 256
    assert plan(replace(question, kv_bytes_per_element=1.0)).setup.streams == 208.0


def test_copies_share_the_devices_and_the_streams() -> None:
    two = asked(devices=(CARD,) * 4, copies=2, streams=10.0)
    assert len(two.own_devices) == 2
    laid = plan(two)
    assert laid.setup.streams == 5.0
    assert laid.setup.stages[0].ways == 2
    assert plan(asked(devices=(CARD,) * 2, copies=2, streams=None, prompt=896.0)).setup.streams == 104.0


def test_a_model_that_does_not_fit_has_one_stream() -> None:
    large = replace(FACTS, weight_bytes=40 * GIB)
    laid = plan(asked(streams=None, facts=large))
    assert laid.setup.streams == 1.0
    assert not laid.placement.fits and laid.placement.missing_bytes > 18 * GIB


def test_a_device_of_unknown_memory_runs_what_serving_engines_run() -> None:
    laid = plan(asked(streams=None, devices=(replace(CARD, memory_total_bytes=None),)))
    assert laid.setup.streams == 256.0 and laid.placement.fits is None


def test_what_cannot_be_laid_out_says_why() -> None:
    with pytest.raises(Unanswerable, match="which device it runs on is not known"):
        plan(asked(devices=()))
    with pytest.raises(Unanswerable, match="the size of eight is not known"):
        plan(asked(facts=replace(FACTS, weight_bytes=None)))


def test_the_depth_counts_what_was_there_before_the_prompt() -> None:
    assert asked(prompt=1_000.0, generate=200.0, before=3_000.0).depth == 4_100.0


def test_the_memory_holds_all_that_is_generated() -> None:
    """At the end of 1000 tokens of prompt and 3000 generated, 4000 are in the cache."""
    needed = plan(asked(prompt=1_000.0, generate=3_000.0)).needed
    assert needed.kv_bytes == pytest.approx(4_000 * 128 * KIB)


def test_as_many_streams_as_fit_do_fit_behind_a_cache() -> None:
    laid = plan(asked(streams=None, prompt=512.0, before=8_000.0))
    assert laid.placement.fits


def test_as_many_streams_as_fit_do_fit_on_a_cpu() -> None:
    """0.9 x 20 GiB less 7.25 of weights, all of them in the RAM, leave room for some 84 of 1024 x 128 KiB."""
    software = Software(engine=engine("llama.cpp"), backend="cpu")
    large_table = replace(FACTS, embedding_bytes=2 * GIB)
    laid = plan(asked(software, (CPU,), facts=large_table, streams=None, prompt=896.0, generate=128.0))
    assert laid.placement.fits


def test_there_are_no_more_copies_than_devices() -> None:
    with pytest.raises(Unanswerable):
        plan(asked(devices=(CARD,), copies=4, streams=8.0))


def test_a_model_of_unknown_cache_is_not_said_to_be_of_unknown_size() -> None:
    with pytest.raises(Unanswerable, match="layout of eight"):
        plan(asked(facts=replace(FACTS, kv_elements=None)))


@pytest.mark.parametrize("load", [{"copies": 0}, {"streams": 0.0}, {"prompt": 0.0, "generate": 0.0}])
def test_a_load_of_nothing_is_refused(load: dict[str, float]) -> None:
    with pytest.raises(Unanswerable):
        predict(replace(asked(), **load))
