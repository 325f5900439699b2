"""The ceiling: which resource makes it, and why there is none."""

import pytest
from llmtop.estimator.model import Load
from llmtop.estimator.roofline import Left, ceiling, least_read, outside
from llmtop.probes.sample import Bandwidth, Compute, Device, ModelFacts
from msgspec.structs import replace

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


HOST = Device(id="cpu", name="CPU", vendor="AMD", kind="cpu", cores=8, bandwidth_gbs=Bandwidth(peak=50.0))
DENSE = ModelFacts(
    name="dense",
    source="test",
    parameters=40_000_000_000,
    weight_bytes=40_000_000_000,
    embedding_bytes=0,
    embedding_parameters=0,
    head_parameters=0,
    tied_embeddings=True,
    layers=40,
    kv_elements=50_000,
)
MIXTURE = replace(DENSE, name="mixture", expert_bytes=36_000_000_000, expert_count=128, expert_used_count=8)


def test_a_part_on_the_cpu_is_read_after_the_rest() -> None:
    """40 GB, 20 of them with the host: 20 / 1008 + 20 / 50 = 0.4198 s; over 1058 GB/s together it would be 0.038."""
    roof = ceiling(DENSE, Load(), [RTX_4090], left=Left(host=HOST, stored_bytes=20e9))
    assert roof.decode_tps == pytest.approx(1.0 / (20 / 1008 + 20 / 50))
    assert roof.limit == "bandwidth"


def test_the_cache_is_read_too() -> None:
    """10 000 tokens of 100 kB are 1 GB more on the card."""
    roof = ceiling(DENSE, Load(context_tokens=10_000), [RTX_4090], left=Left(host=HOST, stored_bytes=20e9))
    assert roof.decode_tps == pytest.approx(1.0 / (21 / 1008 + 20 / 50))


def test_nothing_left_is_the_roof_of_the_devices_alone() -> None:
    alone = ceiling(DENSE, Load(), [RTX_4090]).decode_tps
    assert ceiling(DENSE, Load(), [RTX_4090], left=Left(host=HOST, stored_bytes=0.0)).decode_tps == pytest.approx(alone)


def test_a_host_holds_what_costs_least_first() -> None:
    """36 of the 40 GB are experts of which a token reads 8 of 128: 16 GB of them are 1 GB a token."""
    roof = ceiling(MIXTURE, Load(), [RTX_4090], left=Left(host=HOST, stored_bytes=16e9))
    assert roof.decode_tps == pytest.approx(1.0 / ((4 + 20 / 16) / 1008 + 1 / 50))
    assert least_read(MIXTURE, 38e9) == pytest.approx(36e9 / 16 + 2e9)
    looked_up = replace(DENSE, tied_embeddings=False, embedding_bytes=1_000_000_000)
    assert least_read(looked_up, 0.9e9) == 0.0
    assert least_read(looked_up, 3e9) == pytest.approx(2e9)


def test_streams_may_keep_both_busy_but_none_overtakes_itself() -> None:
    """Each of four streams still waits for 20 / 1008 + 20 / 50 a token; 400 make the reading of caches count."""
    four = ceiling(DENSE, Load(streams=4), [RTX_4090], left=Left(host=HOST, stored_bytes=20e9))
    assert four.decode_tps == pytest.approx(4.0 / (20 / 1008 + 20 / 50))
    many = Load(streams=400, context_tokens=4e6)  # 400 GB of cache in all, 1 GB each
    held = ceiling(DENSE, many, [RTX_4090], left=Left(host=HOST, stored_bytes=100e9))
    assert held.decode_tps == pytest.approx(400.0 / (100 / 50))


def test_a_host_that_is_faster_than_the_card_may_hold_everything() -> None:
    slow, fast = (
        replace(RTX_4090, bandwidth_gbs=Bandwidth(peak=200.0)),
        replace(HOST, bandwidth_gbs=Bandwidth(peak=400.0)),
    )
    roof = ceiling(DENSE, Load(), [slow], left=Left(host=fast, stored_bytes=20e9))
    assert roof.decode_tps == pytest.approx(400 / 40)


def test_a_host_of_unknown_bandwidth_has_no_roof() -> None:
    roof = ceiling(DENSE, Load(), [RTX_4090], left=Left(host=CPU, stored_bytes=20e9))
    assert roof.decode_tps is None
    assert "press m" in (roof.reason or "")


def test_what_has_no_room_is_weights_and_cache() -> None:
    assert outside(DENSE, Load(context_tokens=10_000), 24e9) == pytest.approx(17e9)
    assert outside(DENSE, Load(), 48e9) == 0.0
