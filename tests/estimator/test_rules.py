"""The rules of thumb, as people do them on paper."""

import pytest
from llmtop.estimator.catalogue.devices import device
from llmtop.estimator.catalogue.formats import format as known_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.rules import rules_of_thumb
from llmtop.probes.sample import Bandwidth, Compute, Device, ModelFacts


def test_an_rtx_4090_with_llama_2_7b_in_q4_0() -> None:
    """1008 GB/s over 7 B is 144, over 6.738 B parameters 149.6, over the 3.83 GB of the file 264."""
    rules = rules_of_thumb(
        model("Llama-2-7B").facts(known_format("Q4_0"), 3_825_807_360), [device("RTX 4090").as_device("d")]
    )
    assert rules["bandwidth / parameters in the name"] == pytest.approx(1008.4 / 7, rel=1e-3)
    assert rules["bandwidth / parameters"] == pytest.approx(149.6, rel=2e-3)
    assert rules["bandwidth / size"] == pytest.approx(1008.4e9 / 3_825_807_360, rel=1e-3)
    assert rules["flops / byte"] == pytest.approx(330.3e12 / 1008.4e9, rel=1e-2)


CARD = Device(
    id="d",
    name="d",
    vendor="NVIDIA",
    kind="gpu",
    bandwidth_gbs=Bandwidth(peak=600.0),
    compute_tflops=Compute(fp32=12.0, fp16=30.0),
)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("Llama-3.2-1B-Instruct", 1.0),
        ("qwen3:30b-a3b", 30.0),
        ("gpt-oss-20b", 20.0),
        ("Qwen2.5-0.5B", 0.5),
        ("Llama 3.1 8 B", 8.0),
        ("Mixtral-8x7B", None),
        ("Phi-4", None),
        ("SmolLM2-135M", None),
        ("qwen3-8bit", None),
        ("model-0B", None),
    ],
)
def test_the_size_that_a_name_says(name: str, billions: float | None) -> None:
    rules = rules_of_thumb(ModelFacts(name=name, source="test"), [CARD])
    expected = None if billions is None else pytest.approx(600.0 / billions)
    assert rules.get("bandwidth / parameters in the name") == expected


def test_a_rule_stands_only_where_its_numbers_are_known() -> None:
    nameless = ModelFacts(name="x", source="test")
    assert rules_of_thumb(nameless, [CARD]) == {"flops / byte": pytest.approx(30e12 / 600e9)}
    assert rules_of_thumb(nameless, [Device(id="d", name="d", vendor="v", kind="gpu")]) == {}
    sized = ModelFacts(name="x", source="test", weight_bytes=3_000_000_000, parameters=5_000_000_000)
    plain = Device(id="d", name="d", vendor="v", kind="cpu", bandwidth_gbs=Bandwidth(measured=60.0))
    assert rules_of_thumb(sized, [plain]) == {"bandwidth / size": 20.0, "bandwidth / parameters": 12.0}
    single = Device(
        id="d", name="d", vendor="v", kind="cpu", bandwidth_gbs=Bandwidth(peak=50.0), compute_tflops=Compute(fp32=2.0)
    )
    assert rules_of_thumb(nameless, [single]) == {"flops / byte": 40.0}
