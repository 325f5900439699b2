"""Where models go: on the GPU, on GPU and CPU, on the CPU, or nowhere; sizes by hand."""

import pytest
from llmtop.estimator.fit import Box, Wish, fit
from llmtop.estimator.software import engine
from llmtop.estimator.terms import Unanswerable
from llmtop.probes.sample import Bandwidth, Device, ModelFacts
from msgspec.structs import replace

GIB = 1 << 30
KIB = 1 << 10
WISH = Wish(engine=engine("llama.cpp"), context=8192.0)
CARD = Device(
    id="gpu",
    name="card",
    vendor="NVIDIA",
    kind="gpu",
    memory_type="GDDR",
    memory_total_bytes=12 * GIB,
    bandwidth_gbs=Bandwidth(peak=360.0),
)
CPU = Device(
    id="cpu",
    name="processor",
    vendor="AMD",
    kind="cpu",
    memory_type="DDR",
    memory_total_bytes=32 * GIB,
    bandwidth_gbs=Bandwidth(peak=51.2),
    cores=8,
)
BOX = Box(gpus=(CARD,), cpu=CPU)


def model(gib: float) -> ModelFacts:
    """With 128 KiB of cache a token: 1 GiB for 8192."""
    return ModelFacts(
        name="some",
        source="test",
        parameters=round(gib * GIB / 0.6),
        weight_bytes=round(gib * GIB),
        embedding_bytes=GIB // 4,
        embedding_parameters=500_000_000,
        tied_embeddings=True,
        layers=40,
        hidden_size=4096,
        head_parameters=500_000_000,
        kv_elements=64 * KIB,
        attention_width=163_840,
        context_length=32_768,
    )


@pytest.mark.parametrize(
    ("gib", "where"),
    [(6.0, "gpu"), (10.0, "gpu"), (10.5, "gpu+cpu"), (30.0, "gpu+cpu"), (38.5, "gpu+cpu"), (39.0, None)],
)
def test_the_gpu_first_then_both_then_nowhere(gib: float, where: str | None) -> None:
    """12 GiB x 0.98 on the card: weights, 1 GiB of cache, 0.4 GiB of context, 0.27 GiB of compute; 28.8 in the RAM."""
    found = fit(model(gib), BOX, WISH)
    assert found.runs_on == where
    if where == "gpu+cpu":
        beside = (gib + 1.0 + 0.4 + 0.27) - 12.0 * 0.98
        assert found.gpu_share == pytest.approx(1.0 - beside / (gib + 1.0), abs=0.01)
        assert found.question.host is CPU


def test_what_is_missing_counts_the_memory_of_both() -> None:
    """12 GiB x 0.98 and 32 GiB x 0.9 are 40.56; 45 GiB of weights need 46.67 with all that comes besides."""
    found = fit(model(45.0), BOX, WISH)
    assert found.runs_on is None
    assert (found.needed_bytes - found.free_bytes) / GIB == pytest.approx(46.67 - 40.56, abs=0.05)


def test_without_a_gpu_the_cpu_takes_it_and_nothing_more() -> None:
    alone = Box(cpu=CPU)
    assert fit(model(20.0), alone, WISH).runs_on == "cpu"
    assert fit(model(29.0), alone, WISH).runs_on is None
    assert fit(model(20.0), alone, WISH).free_bytes == round(0.9 * 32 * GIB)


def test_memory_in_use_is_not_there_and_it_is_said_when_it_would_be_enough() -> None:
    used = Box(gpus=(replace(CARD, memory_used_bytes=6 * GIB),), cpu=replace(CPU, memory_used_bytes=30 * GIB))
    found = fit(model(8.0), used, WISH)
    assert (found.runs_on, found.when_emptied) == (None, True)
    found = fit(model(8.0), Box(gpus=used.gpus, cpu=CPU), WISH)
    assert (found.runs_on, found.when_emptied) == ("gpu+cpu", True)
    assert not fit(model(4.0), used, WISH).when_emptied
    assert not fit(model(60.0), used, WISH).when_emptied


def test_a_longer_context_needs_its_room() -> None:
    assert fit(model(10.0), BOX, WISH).runs_on == "gpu"
    assert fit(model(10.0), BOX, replace(WISH, context=32_768.0)).runs_on == "gpu+cpu"
    assert fit(model(10.0), BOX, replace(WISH, context=32_768.0, kv_bytes_per_element=0.5)).runs_on == "gpu"


def test_an_engine_that_leaves_nothing_to_the_cpu() -> None:
    serving = replace(WISH, engine=engine("vLLM"))
    assert fit(model(6.0), BOX, serving).runs_on == "gpu"
    assert fit(model(11.0), Box(gpus=(CARD,)), serving).runs_on is None
    assert fit(model(11.0), BOX, serving).runs_on == "cpu"


def test_two_cards_hold_more_and_nothing_known_is_no_answer() -> None:
    two = Box(gpus=(CARD, replace(CARD, id="second")), cpu=CPU)
    assert fit(model(20.0), two, WISH).runs_on == "gpu"
    with pytest.raises(Unanswerable, match="memory is not known"):
        fit(model(6.0), Box(gpus=(replace(CARD, memory_total_bytes=None),)), WISH)
    with pytest.raises(Unanswerable, match="memory is not known"):
        fit(model(6.0), Box(), WISH)
