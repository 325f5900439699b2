"""The kind of a model's weights: by the name of the format, else by their size."""

import pytest
from llmtop.estimator.catalogue.formats import KINDS
from llmtop.estimator.kinds import BY_BITS, kind
from llmtop.probes.sample import ModelFacts


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Q4_0", "4-bit legacy"),
        ("Q4_K_M", "k-quant"),
        ("Q6_K", "k-quant"),
        ("IQ2_XS", "i-quant"),
        ("Q8_0", "8-bit"),
        ("F16", "16-bit"),
        ("BF16", "16-bit"),
        ("F32", "32-bit"),
        ("FP8", "fp8"),
        ("AWQ", "int4"),
        ("3.5bpw", "exl"),
        ("TQ1_0", "ternary"),
    ],
)
def test_a_format_says_its_kind_whatever_the_size(name: str, expected: str) -> None:
    assert kind(ModelFacts(name="x", source="test", quantization=name)) == expected
    sized = ModelFacts(name="x", source="test", quantization=name, weight_bytes=10**9, parameters=10**9)
    assert kind(sized) == expected


@pytest.mark.parametrize(
    ("bits", "expected"),
    [(16.0, "16-bit"), (12.0, "16-bit"), (8.5, "8-bit"), (7.5, "8-bit"), (7.4, "k-quant"), (2.1, "k-quant")],
)
@pytest.mark.parametrize("name", [None, "", "Q4_K_NOBODY_KNOWS"])
def test_a_format_of_no_known_name_goes_by_the_bits_of_a_weight(bits: float, expected: str, name: str | None) -> None:
    facts = ModelFacts(
        name="x", source="test", quantization=name, weight_bytes=round(bits * 10**9 / 8), parameters=10**9
    )
    assert kind(facts) == expected


def test_nothing_known_is_sixteen_bits() -> None:
    assert kind(ModelFacts(name="x", source="test")) == "16-bit"


def test_the_kinds_by_size_are_kinds_of_formats() -> None:
    assert {name for _, name in BY_BITS} <= set(KINDS)
