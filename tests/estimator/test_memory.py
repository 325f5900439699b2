"""Memory: the parts against what llama.cpp and vLLM print in their logs, and what a device has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmtop.estimator.memory import GIB, Kind, longest_context, most_streams, needed, usable
from llmtop.probes.sample import Device, ModelFacts

MIB = 1 << 20
LLAMA_31_8B = ModelFacts(
    name="Llama 3.1 8B Q4_K_M",
    source="test",
    weight_bytes=round((4403.49 + 281.81) * MIB),
    embedding_bytes=round(281.81 * MIB),
    embedding_parameters=128_256 * 4096,
    head_parameters=128_256 * 4096,
    tied_embeddings=False,
    hidden_size=4096,
    layers=32,
    kv_elements=32 * 8 * 128 * 2,
    context_length=131_072,
)
QWEN3_30B_A3B = ModelFacts(
    name="Qwen3 30B-A3B Q4_K",
    source="test",
    weight_bytes=round((17_787.83 + 315.30) * MIB),
    embedding_bytes=round(315.30 * MIB),
    head_parameters=151_936 * 2048,
    tied_embeddings=False,
    hidden_size=2048,
    kv_elements=48 * 4 * 128 * 2,
    context_length=40_960,
)
GPT_OSS_20B = ModelFacts(
    name="gpt-oss-20b MXFP4",
    source="test",
    weight_bytes=round(13.72 * GIB),
    head_parameters=201_088 * 2880,
    tied_embeddings=False,
    hidden_size=2880,
    kv_elements=12 * 8 * 64 * 2,
    kv_window_elements=12 * 8 * 64 * 2,
    kv_window=128,
    context_length=131_072,
)
QWEN35_9B = ModelFacts(
    name="Qwen3.5 9B",
    source="test",
    weight_bytes=5_300 * MIB,
    head_parameters=248_320 * 4096,
    tied_embeddings=False,
    hidden_size=4096,
    kv_elements=8 * 4 * 256 * 2,
    linear_layers=24,
    state_elements=24 * (32 * 128 * 128 + 3 * 8192),
    context_length=262_144,
)
GEMMA_4_12B = ModelFacts(
    name="hidden 3840, vocabulary 262144",
    source="test",
    weight_bytes=7 * GIB,
    embedding_bytes=GIB,
    embedding_parameters=262_144 * 3840,
    tied_embeddings=True,
    hidden_size=3840,
    kv_elements=1,
)


@pytest.mark.parametrize(
    ("facts", "logged_mib"),
    [(LLAMA_31_8B, 258.5), (QWEN3_30B_A3B, 304.75), (GPT_OSS_20B, 398.38), (QWEN35_9B, 501.0), (GEMMA_4_12B, 519.5)],
)
def test_the_compute_buffer_is_what_llama_cpp_logs(facts: ModelFacts, logged_mib: float) -> None:
    """llama.cpp's "compute buffer size" lines, builds of 2024-2026, physical batch 512, flash attention."""
    memory = needed(facts, context=32_768)
    assert memory is not None
    assert memory.compute_bytes / MIB == pytest.approx(logged_mib, rel=0.04)


def test_the_cache_is_what_llama_cpp_logs() -> None:
    """Its "KV buffer size" and "RS buffer size" lines for these models."""
    for facts, context, per_element, logged_mib in (
        (LLAMA_31_8B, 2048, 2.0, 256.0),
        (QWEN3_30B_A3B, 32_768, 2.0, 3072.0),
        (QWEN35_9B, 32_768, 1.0625, 544.0),
        (GPT_OSS_20B, 131_072, 2.0, 3072.0 + 18.0),
    ):
        memory = needed(facts, context=context, kv_bytes_per_element=per_element)
        assert memory is not None
        assert memory.kv_bytes / MIB == pytest.approx(logged_mib, rel=1e-6)
    two = needed(QWEN35_9B, context=32_768, streams=2)
    assert two is not None
    assert two.state_bytes / MIB == pytest.approx(100.5, rel=0.01)


def test_the_input_embedding_stays_with_the_host_unless_it_is_the_output_head() -> None:
    """The log of Llama 3.1 8B: CUDA0 model buffer 4403.49 MiB, CPU model buffer 281.81 MiB."""
    memory = needed(LLAMA_31_8B, context=2048)
    assert memory is not None
    assert memory.weights_bytes / MIB == pytest.approx(4403.49, abs=0.01)
    assert memory.host_bytes / MIB == pytest.approx(281.81, abs=0.01)
    tied, on_cpu = needed(GEMMA_4_12B, context=2048), needed(LLAMA_31_8B, context=2048, kind="cpu")
    assert tied is not None and tied.host_bytes == 0 and tied.weights_bytes == 7 * GIB
    assert on_cpu is not None and on_cpu.host_bytes == 0 and on_cpu.context_bytes == 0


def test_vllm_has_left_for_the_cache_what_its_log_says() -> None:
    """gpt-oss-20b, vLLM 0.19, A100 80GB (79.25 GiB) at 0.65 of it: 13.72 GiB weights, 36.56 GiB for the cache."""
    memory = needed(GPT_OSS_20B, context=1, engine="vLLM")
    assert memory is not None
    left = 0.65 * 79.25 * GIB - (memory.total_bytes - memory.kv_bytes)
    assert left / GIB == pytest.approx(36.56, abs=0.2)


def test_what_does_not_fit_says_what_is_missing() -> None:
    memory = needed(LLAMA_31_8B, context=8192)
    assert memory is not None
    assert memory.fits(8 * GIB) and memory.missing_bytes(8 * GIB) == 0
    assert not memory.fits(4 * GIB)
    assert memory.missing_bytes(4 * GIB) == memory.total_bytes - 4 * GIB


def test_unknown_sizes_are_unknown() -> None:
    assert needed(ModelFacts(name="x", source="s"), context=1) is None
    assert longest_context(ModelFacts(name="x", source="s", weight_bytes=1), GIB) is None
    assert usable(Device(id="d", name="d", vendor="NVIDIA", kind="gpu")) is None


@given(st.floats(1.0, 60.0), st.sampled_from([LLAMA_31_8B, QWEN3_30B_A3B, GPT_OSS_20B, QWEN35_9B]), st.integers(1, 8))
def test_the_longest_context_fits_and_one_token_more_does_not(gib: float, facts: ModelFacts, streams: int) -> None:
    free = gib * GIB
    tokens = longest_context(facts, free, streams=streams)
    smallest = needed(facts, context=1, streams=streams)
    assert smallest is not None
    assert (tokens is None) == (not smallest.fits(free))
    if tokens is not None:
        here, further = (needed(facts, context=each, streams=streams) for each in (tokens, tokens + 1))
        assert here is not None and further is not None and facts.context_length is not None
        assert here.fits(free)
        assert tokens == facts.context_length or not further.fits(free)


def test_llama_8b_on_a_24_gib_card_has_room_for_its_whole_context() -> None:
    """By hand: 23.5 GiB less 4.3 weights, 0.26 buffer and 0.4 context leave 18.5 GiB; 131072 x 128 KiB are 16."""
    card = _device("gpu", "NVIDIA", "GDDR", 24)
    free = usable(card)
    assert free is not None
    assert longest_context(LLAMA_31_8B, free) == 131_072
    assert longest_context(LLAMA_31_8B, free, streams=2) == pytest.approx(75_900, rel=0.01)
    assert most_streams(LLAMA_31_8B, usable(card, "vLLM") or 0, 8192) == pytest.approx((21.6 - 4.58 - 1.3) / 1.0, abs=1)
    assert most_streams(LLAMA_31_8B, 3 * GIB, 8192) is None


def _device(kind: Kind, vendor: str, memory_type: str, total_gib: int, used_gib: int | None = None) -> Device:
    return Device(
        id="d",
        name="d",
        vendor=vendor,
        kind=kind,
        memory_type=memory_type,
        memory_total_bytes=total_gib * GIB,
        memory_used_bytes=None if used_gib is None else used_gib * GIB,
    )


@pytest.mark.parametrize(
    ("device", "expected_gib"),
    [
        (_device("apple", "Apple", "LPDDR", 16), 10.67),  # Metal logs 11453.25 MB on a 16 GiB M1 or M3
        (_device("apple", "Apple", "LPDDR", 36), 28.08),  # 30150.67 MB on 36 GiB
        (_device("apple", "Apple", "LPDDR", 36, 20), 16.0),
        (_device("gpu", "NVIDIA", "GDDR", 24), 23.52),
        (_device("gpu", "NVIDIA", "GDDR", 24, 4), 19.52),
        (_device("gpu", "AMD", "LPDDR", 128), 108.8),
        (_device("cpu", "AMD", "DDR", 64, 10), 54.0),
        (_device("cpu", "AMD", "DDR", 64), 57.6),
    ],
)
def test_what_a_device_has(device: Device, expected_gib: float) -> None:
    assert (usable(device) or 0) / GIB == pytest.approx(expected_gib, rel=0.005)


def test_an_engine_may_have_again_what_it_holds_itself() -> None:
    card = _device("gpu", "NVIDIA", "GDDR", 24, 10)
    assert (usable(card, own_bytes=9 * GIB) or 0) - (usable(card) or 0) == 9 * GIB
    assert (usable(card, "vLLM", own_bytes=10 * GIB) or 0) / GIB == pytest.approx(21.6, rel=0.001)
