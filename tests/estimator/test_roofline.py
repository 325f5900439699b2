"""The ceiling: which resource makes it, and why there is none."""

import pytest
from llmtop.estimator.model import Load
from llmtop.estimator.roofline import ceiling
from llmtop.probes.sample import Bandwidth, Compute, Device, ModelFacts

MODEL = ModelFacts(
    name="8B Q4_K_M",
    source="test",
    parameters=8_030_000_000,
    weight_bytes=4_920_000_000,
    embedding_bytes=295_000_000,
    embedding_parameters=525_000_000,
    head_parameters=525_000_000,
    tied_embeddings=False,
    layers=32,
    attention_width=32 * 32 * 128,
    kv_elements=32 * 8 * 256,
)
RTX_4090 = Device(
    id="nvidia0",
    name="RTX 4090",
    vendor="NVIDIA",
    kind="gpu",
    architecture="8.9",
    memory_type="GDDR",
    bandwidth_gbs=Bandwidth(peak=1008.0),
    compute_tflops=Compute(fp16=330.0, int8=660.0, fp32=82.6),
)
CPU = Device(id="cpu", name="CPU", vendor="AMD", kind="cpu", cores=8, cache_bytes=32 << 20)


def test_one_stream_is_bound_by_bandwidth() -> None:
    roof = ceiling(MODEL, Load(), [RTX_4090])
    assert roof.limit == "bandwidth"
    assert roof.decode_tps == pytest.approx(1008e9 / (4_920_000_000 - 295_000_000))


def test_context_lowers_the_ceiling() -> None:
    short, long = (ceiling(MODEL, Load(context_tokens=tokens), [RTX_4090]).decode_tps for tokens in (0, 32_000))
    assert short is not None and long is not None
    assert long == pytest.approx(1008e9 / (4_625_000_000 + 32 * 8 * 256 * 2 * 32_000))


def test_a_large_batch_is_bound_by_arithmetic() -> None:
    roof = ceiling(MODEL, Load(streams=4096), [RTX_4090])
    assert roof.limit == "compute"
    assert roof.decode_tps == pytest.approx(660e12 / (2 * (8_030_000_000 - 525_000_000)), rel=0.01)


def test_an_unmeasured_cpu_says_how_to_measure() -> None:
    roof = ceiling(MODEL, Load(), [CPU])
    assert roof.decode_tps is None
    assert "press m" in (roof.reason or "")


def test_a_model_that_fits_into_the_cache_has_no_bandwidth_ceiling() -> None:
    tiny = ModelFacts(name="t", source="test", weight_bytes=20 << 20, embedding_bytes=0, tied_embeddings=True)
    roof = ceiling(tiny, Load(), [CPU])
    assert roof.decode_tps is None
    assert "cache" in (roof.reason or "")


def test_what_is_unknown_is_none_with_a_reason() -> None:
    for facts, devices in ((None, [RTX_4090]), (MODEL, []), (ModelFacts(name="x", source="s"), [RTX_4090])):
        roof = ceiling(facts, Load(), devices)
        assert roof.decode_tps is None
        assert roof.reason
