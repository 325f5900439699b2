"""Terms with their constants as times, rates and ranges: by hand on made constants, as a law on those that ship."""

import pytest
from llmtop.estimator.constants import ALL, Constants, Spread
from llmtop.estimator.expected import Part, Timing, band, decode_step, limit, prompt, spread_names
from llmtop.estimator.setup import Setup, Stage
from llmtop.estimator.software import Backend, Software, engine
from llmtop.probes.sample import Bandwidth, Compute, Device, ModelFacts
from msgspec.structs import replace

FACTS = ModelFacts(
    name="small",
    source="test",
    quantization="F16",
    parameters=1_000_000,
    weight_bytes=2_000_000,
    embedding_bytes=200_000,
    embedding_parameters=100_000,
    tied_embeddings=False,
    layers=2,
    hidden_size=1_000,
    head_parameters=100_000,
    attention_width=2_000,
    kv_elements=4_000,
)
CARD = Device(
    id="d",
    name="card",
    vendor="NVIDIA",
    kind="gpu",
    architecture="8.9",
    memory_type="GDDR",
    bandwidth_gbs=Bandwidth(peak=100.0),
    compute_tflops=Compute(fp32=10.0, fp16=20.0),
)


def _spread(low: float, high: float, rows: int = 20) -> Spread:
    return Spread(low=low, high=high, rows=rows, devices=4, years="2024-2025")


MADE = Constants(
    decode={
        "layers": {ALL: 1e-6, "cuda": 2.0},
        "weights": {ALL: 1.1, "llama.cpp": 2.0, "llama.cpp 16-bit": 0.5},
        "core": {"cuda GDDR": 10.0},
    },
    prefill={"layers": {ALL: 1e-5}, "matrix": {ALL: 2.0, "16-bit": 0.5}},
    spreads={
        "decode": {
            ALL: _spread(0.5, 2.0, 200),
            "vLLM, cuda GDDR": _spread(0.8, 1.25),
            "kin of exllama": _spread(0.9, 0.95),
            "kin of eager": _spread(1.05, 1.2),
        },
        "prefill": {ALL: _spread(0.6, 1.5, 100)},
        "throughput": {ALL: _spread(0.4, 1.0, 50)},
    },
)


def asked(name: str = "llama.cpp", backend: Backend = "cuda", *, ways: int = 1, device: Device = CARD) -> Setup:
    return Setup(
        facts=FACTS,
        software=Software(engine=engine(name), backend=backend),
        stages=(Stage(device=device, ways=ways),),
        context=500.0,
    )


def test_a_step_is_the_sum_of_its_terms_with_their_constants() -> None:
    step = decode_step(asked(), MADE)
    assert {part.name: part.seconds for part in step.parts} == pytest.approx(
        {
            "layers": 2 * 1e-6 * 2.0,
            "weights": 1.8e6 / 100e9 * 1.1 * 2.0 * 0.5,
            "kv": 4_000 * 500 * 2 / 100e9,
            "core": 2 * 900_000 / 10e12 * 10.0,
            "attention": 4 * 2_000 * 500.5 / 10e12,
        }
    )
    assert step.seconds == pytest.approx(4e-6 + 1.98e-5 + 4e-5 + 1.8e-6 + 4.004e-7)
    assert step.of("weights", "kv") == pytest.approx(1.98e-5 + 4e-5)
    assert step.of("absent") == 0.0


def test_a_prompt_has_constants_of_its_own() -> None:
    read = prompt(asked(), 512.0, 0.0, MADE)
    assert read.seconds == pytest.approx(
        2 * 1e-5 + 1.8e6 / 100e9 + 2 * 800_000 * 512 / 20e12 + 4 * 512 * 2_000 * 256 / 20e12
    )


def test_a_range_of_its_own_class_is_taken_as_it_is() -> None:
    found, words = band(asked("vLLM"), "decode", 100.0, MADE)
    assert (found.value, found.low, found.high) == pytest.approx((100.0, 80.0, 125.0))
    assert words == "vLLM, cuda GDDR: 20 rows on 4 devices, 2024-2025"


def test_a_range_of_kin_is_made_wider_and_says_so() -> None:
    found, words = band(asked("llama.cpp"), "decode", 100.0, MADE)
    assert (found.low, found.high) == pytest.approx((100 * 0.5**1.15, 100 * 2.0**1.15))
    assert words.startswith("too few rows of llama.cpp, cuda GDDR: the range is that of all rows (200 rows")
    two, words = band(asked("vLLM", ways=2), "decode", 100.0, MADE)
    assert (two.low, two.high) == pytest.approx((100 * 0.8**1.15, 100 * 1.25**1.15))
    assert words.startswith(
        "too few rows of vLLM, cuda GDDR over several devices: the range is that of vLLM, cuda GDDR ("
    )


def test_a_range_of_kin_holds_the_value_whatever_the_kin_is_like() -> None:
    found, _ = band(asked("ExLlamaV2"), "decode", 100.0, MADE)
    assert (found.low, found.high) == pytest.approx((100 * 0.9**1.15, 100.0))
    found, _ = band(asked("Transformers"), "decode", 100.0, MADE)
    assert (found.low, found.high) == pytest.approx((100.0, 100 * 1.2**1.15))


@pytest.mark.parametrize(("low", "high"), [(1.013, 1.221), (0.5, 0.9)])
def test_a_range_of_its_own_class_holds_the_value_too(low: float, high: float) -> None:
    """1.013-1.221 is what ExLlamaV2 on two cards has had."""
    beside = replace(MADE, spreads={"decode": {ALL: _spread(0.5, 2.0), "vLLM, cuda GDDR": _spread(low, high)}})
    found, _ = band(asked("vLLM"), "decode", 100.0, beside)
    assert found.low <= found.value <= found.high


def test_names_of_spreads_go_from_the_special_to_the_general() -> None:
    assert spread_names(asked("Ollama")) == (
        "Ollama, cuda GDDR",
        "Ollama, cuda",
        "Ollama",
        "kin of llama.cpp, cuda GDDR",
        "kin of llama.cpp, cuda",
        "kin of llama.cpp",
    )
    names = spread_names(asked("vLLM", ways=2))
    assert names[0] == "vLLM, cuda GDDR over several devices"
    assert names[-1] == "kin of serving over several devices"
    both = replace(asked(), stages=(Stage(device=CARD, share=0.5), Stage(device=CARD, share=0.5)))
    assert spread_names(both)[0] == "llama.cpp, cuda GDDR over several devices"


def _timing(**seconds: float) -> Timing:
    return Timing(parts=tuple(Part(name=name, seconds=each) for name, each in seconds.items()))


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        (_timing(weights=5.0, kv=2.0, core=6.0, layers=1.0), "bandwidth"),  # 7 : 6 : 1
        (_timing(weights=5.0, core=3.0, batch=2.0, attention=1.0, layers=5.0), "compute"),  # 5 : 6 : 5
        (_timing(weights=2.0, core=2.0, layers=1.5, exchange=1.0, hop=0.1), "overhead"),  # 2 : 2 : 2.6
        (_timing(weights=2.0, core=2.0), "bandwidth"),
        (_timing(matrix=2.0, weights=1.0, traffic=1.5), "compute"),
        (_timing(), "bandwidth"),
    ],
)
def test_what_most_of_the_time_goes_into(timing: Timing, expected: str) -> None:
    assert limit(timing) == expected
