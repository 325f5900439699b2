"""What a device does on paper, by the software's instructions: against figures of data sheets."""

import pytest
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.link_rate import link
from llmtop.estimator.paper import arithmetic, bandwidth_of, cores_used, peak
from llmtop.estimator.setup import Setup, Stage
from llmtop.estimator.software import Backend, Software, engine
from llmtop.estimator.terms import prefill
from llmtop.probes.sample import Bandwidth, Device, ModelFacts
from msgspec.structs import replace


def on(name: str) -> Device:
    return device(name).as_device(name)


def facts(quantization: str) -> ModelFacts:
    return model("Llama-2-7B").facts(known_format(quantization))


def tflops(name: str, runs: str, quantization: str | None, backend: Backend = "cuda") -> float:
    software = Software(engine=engine(runs), backend=backend)
    return peak(on(name), 1e12, software, facts(quantization) if quantization else None) / 1e12


@pytest.mark.parametrize(
    ("name", "runs", "quantization", "expected"),
    [
        ("Tesla P40", "llama.cpp", "Q4_0", 47.0),  # NVIDIA's data sheet: 47 TOPS int8
        ("Tesla P40", "Ollama", "Q4_K_M", 47.0),
        ("Tesla P40", "llama.cpp", "F16", 11.76),  # its FP16 units are 1/64 of FP32
        ("Tesla P40", "llama.cpp", None, 11.76),
        ("Tesla P40", "vLLM", "Q4_0", 11.76),
        ("GTX 980 Ti", "llama.cpp", "Q4_0", 6.06),  # no dp4a before 6.1
        ("GTX 1660 SUPER", "llama.cpp", "Q4_0", 20.1),  # Turing without matrix units
        ("Tesla V100 PCIe 16GB", "llama.cpp", "Q4_0", 113.0),  # matrix units go before dp4a
        ("RTX 3090", "llama.cpp", "Q4_0", 142.3),
    ],
)
def test_quantised_weights_on_cards_without_matrix_units(
    name: str, runs: str, quantization: str | None, expected: float
) -> None:
    assert tflops(name, runs, quantization) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("name", "runs", "quantization", "expected"),
    [
        ("RTX 3090", "vLLM", "F16", 71.2),  # GA102 white paper: 71 with FP32 sums, 142 with FP16 sums
        ("RTX 4090", "TensorRT-LLM", "F16", 165.2),
        ("RTX A6000", "vLLM", "F16", 154.8),  # no GeForce
        ("L40S", "vLLM", "FP8", 724.5),  # twice its FP16
        ("RTX 3090", "vLLM", "FP8", 71.2),  # Ampere reads FP8 and reckons in 16 bit
        ("H100 SXM 80GB", "vLLM", "FP8", 1978.9),
        ("B200 SXM 180GB", "TensorRT-LLM", "NVFP4", 9000.0),
        ("H100 SXM 80GB", "TensorRT-LLM", "NVFP4", 989.4),
    ],
)
def test_serving_engines_keep_sums_in_32_bit_and_have_narrow_numbers(
    name: str, runs: str, quantization: str, expected: float
) -> None:
    assert tflops(name, runs, quantization) == pytest.approx(expected, rel=0.02)
    assert tflops("Instinct MI300X", "vLLM", "FP8", "rocm") == pytest.approx(2614.9, rel=0.01)
    assert tflops("Instinct MI250X GCD", "vLLM", "FP8", "rocm") == pytest.approx(191.5, rel=0.01)


def test_instructions_go_by_what_a_multiprocessor_issues() -> None:
    """108 multiprocessors x 1.41 GHz x 128 lanes x 2, though only 64 of the lanes are FP32 units."""
    assert arithmetic(on("A100 SXM 40GB"), 1e12) == pytest.approx(108 * 1.41e9 * 128 * 2, rel=0.01)
    assert arithmetic(on("RTX 3090"), 1e12) == pytest.approx(82 * 1.695e9 * 128 * 2, rel=0.01)


def test_a_measured_cpu_goes_before_its_paper() -> None:
    cpu = replace(on("EPYC 9654"), bandwidth_gbs=Bandwidth(peak=460.8, measured=280.0))
    assert bandwidth_of(cpu) == pytest.approx(350e9)
    assert bandwidth_of(replace(cpu, bandwidth_gbs=Bandwidth())) is None
    assert cores_used(replace(cpu, cores=96), 24) == 0.25


@pytest.mark.parametrize(
    ("name", "wire", "gbs"),
    [
        ("Instinct MI300X", "fabric", 448.0),  # 7 links of 64 GB/s each way
        ("Instinct MI250X GCD", "fabric", 300.0),
        ("Instinct MI100", "PCIe", 32.0),
        ("RX 7900 XTX", "PCIe", 32.0),
        ("RTX 3090", "PCIe", 32.0),
    ],
)
def test_the_links_of_amd(name: str, wire: str, gbs: float) -> None:
    assert link(on(name)) == (wire, gbs * 1e9)


def test_prompts_that_are_read_together_share_their_passes() -> None:
    """64 prompts of 128 tokens are 8192 tokens: four passes of 2048, a sixteenth of one for each."""
    setup = Setup(
        facts=facts("F16"),
        software=Software(engine=engine("vLLM"), backend="cuda"),
        stages=(Stage(device=on("RTX A6000")),),
        streams=64.0,
    )
    one, packed = ({term.name: term.amount for term in prefill(setup, 128.0, 0.0, many)} for many in (1.0, 64.0))
    assert one["layers"] == 32
    for name in ("layers", "weights"):
        assert packed[name] == pytest.approx(one[name] / 16)
    for name in ("matrix", "attention"):
        assert packed[name] == pytest.approx(one[name])
