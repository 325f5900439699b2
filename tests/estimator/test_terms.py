"""Each term of a step and of a prompt against arithmetic done by hand, on a small model and a round device."""

import pytest
from llmtop.estimator.setup import Setup, Stage
from llmtop.estimator.software import Backend, Software, engine
from llmtop.estimator.terms import Term, Unanswerable, decode, prefill
from llmtop.probes.sample import Bandwidth, Compute, Device, ModelFacts
from msgspec.structs import replace

DENSE = ModelFacts(
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
    attention_width=2_000,  # 2 layers x 1000
    kv_elements=4_000,  # 2 layers x keys and values x 1000
)
MOE = replace(DENSE, expert_bytes=1_600_000, expert_parameters=800_000, expert_count=8, expert_used_count=2)
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
CPU = Device(
    id="c",
    name="processor",
    vendor="AMD",
    kind="cpu",
    memory_type="DDR",
    cores=8,
    bandwidth_gbs=Bandwidth(peak=50.0),
    compute_tflops=Compute(fp32=1.0),
)


def asked(
    facts: ModelFacts = DENSE,
    device: Device = CARD,
    name: str = "llama.cpp",
    backend: Backend = "cuda",
    *,
    streams: float = 1.0,
    context: float = 500.0,
    ways: int = 1,
    kv: float = 2.0,
    threads: int | None = None,
) -> Setup:
    return Setup(
        facts=facts,
        software=Software(engine=engine(name), backend=backend),
        stages=(Stage(device=device, ways=ways),),
        streams=streams,
        context=context,
        kv_bytes_per_element=kv,
        threads=threads,
    )


def amounts(terms: list[Term]) -> dict[str, float]:
    found: dict[str, float] = {}
    for term in terms:
        found[term.name] = found.get(term.name, 0.0) + term.amount
    return found


def test_one_stream_of_a_dense_model() -> None:
    assert amounts(decode(asked())) == pytest.approx(
        {
            "layers": 2.0,
            "weights": (2e6 - 0.2e6) / 100e9,  # the embedding table is not read
            "kv": 4_000 * 500 * 2 / 100e9,
            "core": 2 * 900_000 / 10e12,  # FP32, two FLOPs a weight
            "attention": 4 * 2_000 * 500.5 / 10e12,
        }
    )
    read = {term.name: term.bytes for term in decode(asked()) if term.bytes is not None}
    assert read == pytest.approx({"weights": 1.8e6, "kv": 4e6})


def test_five_streams_read_the_weights_once_and_their_caches_each() -> None:
    one, five = amounts(decode(asked())), amounts(decode(asked(streams=5.0)))
    assert five["weights"] == one["weights"] and five["core"] == one["core"] and five["layers"] == 2.0
    assert five["kv"] == pytest.approx(5 * 4e6 / 100e9)
    assert five["attention"] == pytest.approx(5 * 4 * 2_000 * 500.5 / 10e12)
    assert five["batch"] == pytest.approx(2 * 900_000 * (5 - 1) / 20e12)  # matrix units, the first stream is core
    assert "batch" not in one


def test_an_eight_bit_cache_is_half_as_large() -> None:
    assert amounts(decode(asked(kv=1.0)))["kv"] == pytest.approx(4_000 * 500 / 100e9)


def test_layers_with_a_window_look_no_further() -> None:
    facts = replace(DENSE, kv_elements=2_000, kv_window_elements=2_000, kv_window=128, window_width=1_000)
    far, near = amounts(decode(asked(facts))), amounts(decode(asked(facts, context=100.0)))
    assert far["kv"] == pytest.approx((2_000 * 500 + 2_000 * 128) * 2 / 100e9)
    assert far["attention"] == pytest.approx(4 * (1_000 * 500.5 + 1_000 * 128) / 10e12)
    assert near["kv"] == pytest.approx(4_000 * 100 * 2 / 100e9)
    three = amounts(decode(asked(facts, streams=3.0)))
    assert three["kv"] == pytest.approx(3 * far["kv"])


def test_a_recurrent_state_is_read_and_written_in_32_bit() -> None:
    facts = replace(DENSE, linear_layers=1, state_elements=1_000)
    terms = decode(asked(facts, streams=2.0))
    assert amounts(terms)["kv"] == pytest.approx(2 * (4_000 * 500 * 2 + 2 * 4 * 1_000) / 100e9)
    layers = [(term.amount, "linear attention" in term.names) for term in terms if term.name == "layers"]
    assert layers == [(1.0, False), (1.0, True)]


def test_a_tied_table_is_read_as_the_head() -> None:
    found = amounts(decode(asked(replace(DENSE, tied_embeddings=True))))
    assert found["weights"] == pytest.approx(2e6 / 100e9)
    assert found["core"] == pytest.approx(2 * 1_000_000 / 10e12)


def test_layers_that_plain_decoding_leaves_out_are_not_read() -> None:
    found = amounts(decode(asked(replace(DENSE, unused_bytes=300_000, unused_parameters=150_000))))
    assert found["weights"] == pytest.approx(1.5e6 / 100e9)
    assert found["core"] == pytest.approx(2 * 750_000 / 10e12)


def test_a_mixture_of_experts_reads_what_its_streams_touch() -> None:
    one, two = amounts(decode(asked(MOE))), amounts(decode(asked(MOE, streams=2.0)))
    assert one["weights"] == pytest.approx((1.8e6 - 0.75 * 1.6e6) / 100e9)
    assert two["weights"] == pytest.approx((1.8e6 - 0.75**2 * 1.6e6) / 100e9)  # 7 of 16 touched
    assert one["core"] == two["core"] == pytest.approx(2 * 300_000 / 10e12)  # 1e6 - 0.1e6 - 6/8 of 0.8e6
    assert two["batch"] == pytest.approx(2 * 300_000 / 20e12)
    three = amounts(prefill(asked(MOE), 3.0))
    assert three["weights"] == pytest.approx((1.8e6 - 0.75**3 * 1.6e6) / 100e9)
    carries = {term.name for term in decode(asked(MOE, streams=2.0)) if "experts" in term.names}
    assert carries == {"layers", "weights", "batch"}
    assert not any("experts" in term.names for term in decode(asked()))


@pytest.mark.parametrize(
    ("target", "fp32_tflops"), [("gfx1100", 5.0), ("gfx1151", 5.0), ("gfx1201", 5.0), ("gfx1030", 10.0)]
)
def test_rdna3_and_rdna4_count_two_instructions_a_clock(target: str, fp32_tflops: float) -> None:
    radeon = replace(CARD, vendor="AMD", architecture=target)
    found = amounts(decode(asked(device=radeon, backend="vulkan", streams=2.0)))
    assert found["core"] == pytest.approx(2 * 900_000 / (fp32_tflops * 1e12))
    assert found["batch"] == pytest.approx(2 * 900_000 / 20e12)  # the matrix rate is what it is
    half = replace(radeon, compute_tflops=Compute(fp32=10.0))
    found = amounts(decode(asked(device=half, backend="vulkan", streams=2.0)))
    assert found["batch"] == pytest.approx(2 * 900_000 / (2 * fp32_tflops * 1e12))


def test_a_device_of_no_known_rate_has_30_flops_a_byte() -> None:
    found = amounts(decode(asked(device=replace(CARD, compute_tflops=Compute()), streams=2.0)))
    assert found["core"] == pytest.approx(2 * 900_000 / (30 * 100e9))
    assert found["batch"] == pytest.approx(2 * 900_000 / (2 * 30 * 100e9))


def test_the_paper_goes_before_what_was_measured() -> None:
    both = replace(CARD, bandwidth_gbs=Bandwidth(peak=100.0, measured=80.0))
    only = replace(CARD, bandwidth_gbs=Bandwidth(measured=80.0))
    assert amounts(decode(asked(device=both)))["weights"] == pytest.approx(1.8e6 / 100e9)
    assert amounts(decode(asked(device=only)))["weights"] == pytest.approx(1.8e6 / 80e9)


@pytest.mark.parametrize(
    ("capability", "name", "tflops"),
    [("9.0", "llama.cpp", 12.58), ("10.0", "Ollama", 12.58), ("9.0", "vLLM", 20.0), ("8.9", "llama.cpp", 20.0)],
)
def test_llama_cpp_does_without_the_instructions_of_warp_groups(capability: str, name: str, tflops: float) -> None:
    """0.629 of the matrix rate of Hopper is what instructions of one warp reach (arXiv 2402.13499)."""
    device = replace(CARD, architecture=capability, memory_type="HBM")
    found = amounts(decode(asked(device=device, name=name, streams=2.0)))
    assert found["batch"] == pytest.approx(2 * 900_000 / (tflops * 1e12))


def test_four_cards_split_each_tensor_and_exchange() -> None:
    terms = decode(asked(name="vLLM", ways=4, streams=3.0))
    one, four = amounts(decode(asked(name="vLLM", streams=3.0))), amounts(terms)
    for name in ("weights", "kv", "core", "attention", "batch"):
        assert four[name] == pytest.approx(one[name] / 4)
    assert four["layers"] == 2.0
    assert four["exchange"] == pytest.approx(2 * 2 * 2)  # two a layer, log2 of 4 steps each
    moved = 2 * 2 * 3 * 1_000 * 2 * (2 * 3 / 4)  # all-reduces x tokens x width x bytes x ring
    assert four["traffic"] == pytest.approx(moved / 32e9)  # PCIe 4.0
    assert next(term.bytes for term in terms if term.name == "weights") == pytest.approx(1.8e6)
    assert {"exchange", "traffic"}.isdisjoint(one)
    assert {term.names[0] for term in terms if term.name in {"exchange", "traffic"}} == {"PCIe"}


@pytest.mark.parametrize(
    ("capability", "memory", "name", "wire", "gbs"),
    [
        ("9.0", "HBM", "H100 SXM", "fabric", 450.0),
        ("10.0", "HBM", "B200 SXM", "fabric", 900.0),
        ("8.0", "HBM", "A100 SXM", "fabric", 300.0),
        ("8.0", "HBM", "A100 PCIe", "PCIe", 32.0),
        ("12.0", "GDDR", "RTX 5090", "PCIe", 64.0),
        ("7.5", "GDDR", "RTX 2080 Ti", "PCIe", 16.0),
    ],
)
def test_the_wire_between_cards(capability: str, memory: str, name: str, wire: str, gbs: float) -> None:
    device = replace(CARD, architecture=capability, memory_type=memory, name=name)
    found = {term.name: term for term in decode(asked(device=device, name="vLLM", ways=2))}
    assert found["traffic"].amount == pytest.approx(2 * 2 * 1 * 1_000 * 2 * (2 * 1 / 2) / (gbs * 1e9))
    assert found["traffic"].names[0] == found["exchange"].names[0] == wire


def test_stages_take_their_share_one_after_the_other() -> None:
    stages = (Stage(device=CARD, share=0.75), Stage(device=CPU, share=0.25))
    found = decode(replace(asked(), stages=stages))
    assert amounts(found)["weights"] == pytest.approx(0.75 * 1.8e6 / 100e9 + 0.25 * 1.8e6 / 50e9)
    assert amounts(found)["layers"] == pytest.approx(0.75 * 2 + 0.25 * 2 * 8 / 16)  # 8 cores are half of 16
    assert amounts(found)["hop"] == 1.0
    assert sum(term.bytes or 0.0 for term in found) == pytest.approx(1.8e6 + 4e6)
    assert {"cuda GDDR" in term.names for term in found if term.name == "weights"} == {True, False}
    third = tuple(Stage(device=CARD, share=1 / 3) for _ in range(3))
    assert amounts(decode(replace(asked(), stages=third)))["hop"] == 2.0


def test_half_the_threads_have_half_the_arithmetic() -> None:
    for threads, factor in ((None, 1.0), (8, 1.0), (16, 1.0), (4, 2.0), (1, 8.0)):
        found = amounts(decode(asked(device=CPU, backend="cpu", streams=2.0, threads=threads)))
        assert found["core"] == pytest.approx(factor * 2 * 900_000 / 1e12)
        assert found["batch"] == pytest.approx(factor * 2 * 900_000 / 1e12)
        assert found["weights"] == pytest.approx(1.8e6 / 50e9)


def test_a_prompt_goes_through_in_batches() -> None:
    found = amounts(prefill(asked(), 1_000.0))
    assert found == pytest.approx(
        {
            "layers": 2 * 2,  # 1000 tokens are two batches of 512
            "weights": 2 * 1.8e6 / 100e9,
            "matrix": 2 * (900_000 - 100_000) * 1_000 / 20e12,  # without the head
            "attention": 4 * 1_000 * 2_000 * 500 / 20e12,
        }
    )
    assert amounts(prefill(asked(name="vLLM"), 1_000.0))["layers"] == 2
    passes = [amounts(prefill(asked(), tokens))["layers"] / 2 for tokens in (1, 512, 513, 1024, 1025)]
    assert passes == [1, 1, 2, 2, 3]


def test_a_prompt_behind_a_cache_looks_at_all_of_it() -> None:
    behind = amounts(prefill(asked(), 1_000.0, before=300.0))
    assert behind["attention"] == pytest.approx(4 * 1_000 * 2_000 * (300 + 500) / 20e12)
    facts = replace(DENSE, window_width=1_000, kv_window=128)
    windowed = amounts(prefill(asked(facts), 1_000.0, before=300.0))
    assert windowed["attention"] == pytest.approx(4 * 1_000 * (1_000 * 800 + 1_000 * 128) / 20e12)


def test_a_prompt_over_four_cards() -> None:
    found = amounts(prefill(asked(name="vLLM", ways=4), 3_000.0))
    assert found["matrix"] == pytest.approx(2 * 800_000 * 3_000 / 20e12 / 4)
    assert found["exchange"] == pytest.approx(2 * (2 * 2) * 2)  # two passes of 2048
    assert found["traffic"] == pytest.approx((2 * 2) * 3_000 * 1_000 * 2 * 1.5 / 32e9)


@pytest.mark.parametrize("gap", ["layers", "embedding_bytes", "embedding_parameters", "tied_embeddings", "parameters"])
def test_without_a_layout_there_is_no_answer(gap: str) -> None:
    facts = replace(DENSE, **{gap: None})
    with pytest.raises(Unanswerable, match=r"^the layout of small is not known: [^\n]*$"):
        decode(asked(facts))
    with pytest.raises(Unanswerable, match="the layout of small"):
        prefill(asked(facts), 10.0)


def test_without_a_bandwidth_there_is_no_answer() -> None:
    with pytest.raises(Unanswerable, match="the memory bandwidth of card is not known"):
        decode(asked(device=replace(CARD, bandwidth_gbs=Bandwidth())))


def test_what_a_term_is_multiplied_by() -> None:
    setup = replace(asked(name="Ollama", streams=2.0), small_host=True)
    names = {term.name: term.names for term in decode(setup)}
    general = ("cuda", "cuda GDDR", "llama.cpp", "Ollama")
    stored = ("16-bit", "llama.cpp 16-bit")
    assert names["layers"] == (*general, "small host")
    assert names["kv"] == names["attention"] == general
    assert names["weights"] == names["core"] == names["batch"] == (*general, *stored)
    of_prompt = {term.name: term.names for term in prefill(setup, 10.0)}
    assert of_prompt["layers"] == (*general, "small host")
    assert of_prompt["matrix"] == (*general, "16-bit")
    assert of_prompt["attention"] == general


def test_cards_of_hopper_have_pcie_5() -> None:
    """NVIDIA's data sheet of the H100: PCIe Gen5, 128 GB/s both ways."""
    device = replace(CARD, architecture="9.0", memory_type="HBM", name="H100 PCIe 80GB")
    found = {term.name: term for term in decode(asked(device=device, name="vLLM", ways=2))}
    assert found["traffic"].amount == pytest.approx(2 * 2 * 1_000 * 2 / 64e9)
