"""Number formats: bits by arithmetic from their blocks, and the sizes of files that people have measured."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llmtop.estimator.catalogue.formats import KINDS, Format, formats, kv_format, kv_formats
from llmtop.estimator.catalogue.formats import format as number_format
from llmtop.estimator.catalogue.models import model
from llmtop.estimator.catalogue.names import UnknownName
from llmtop.probes.models.gguf.types import BLOCKS, FILE_TYPES

GIB = 2**30
BITS = {name: 8.0 * size / weights for name, weights, size in BLOCKS.values()}
NOT_WEIGHTS = {"I8", "I16", "I32", "I64", "F64"}
MIXED = {"IQ2_S": "IQ2_XS", "IQ3_XS": "IQ3_XXS", "IQ2_M": "IQ2_S", "IQ3_M": "IQ3_S", "MXFP4": "Q8_0"}
"""File types whose matrices mostly have the tensor type of another name (llama-quant.cpp)."""
QUANTS = """
4-bit|4-bit (q4f16_1 / GPTQ-128g / Q4_0)|AWQ-INT4|BF16|F16|FP4|FP8|IQ2XXS-w2Q2K|MXFP4|Q2_K|Q2_K_M|Q3_K_M|Q3_K_S|Q4_0
Q4_K_M|Q4_K_S|Q4_K_XL|Q5_K_S|Q5_K_XL|Q8_0|Q8_K_XL|autoround-int4|awq-int4|bf16|compressed-tensors-int4-g32-symmetric
compressed-tensors-w4a16-g32-asym-rtn|dflash-quant|exl3-4.0bpw-mul1|exl3-6.0bpw-mcg|exl3-6.0bpw-mul1|fp16|fp8|fp8-dynamic
fp8-static|gf4|gguf-f16|gguf-q2_k|gguf-q4_k_m|gguf-q4_k_m-reap50|gguf-q6_k|gguf-q8_0|int8|int8-w8a8|nvfp4|q3f16
qat-mixed-int2-4-8|Q5_K_M|Q6_K|IQ4_XS|UD-Q4_K_XL|UD-Q3_K_XL|UD-Q2_K_XL|IQ2_XXS|q4f16_1|bnb nf4|HQQ|TQ1_0|MLX 4-bit
""".replace("\n", "|").strip("|")
PLAIN_SIZES = [
    # model, format, GiB as llama-bench printed it
    ("Llama-2-7B", "Q4_0", 3.56),
    ("Llama-2-7B", "Q8_0", 6.67),
    ("Llama-2-7B", "F16", 12.55),
    ("Llama-2-7B", "Q4_K_M", 3.80),
    ("Llama-2-13B", "Q4_K_M", 7.33),
    ("Llama-3-8B", "F16", 14.96),
    ("Llama-3-8B", "Q4_K_M", 4.58),
    ("Llama-3-8B", "Q3_K_M", 3.74),
    ("Llama-3-8B", "Q2_K_M", 2.96),
    ("Llama-3-70B", "Q4_K_M", 39.59),
    ("Llama-3-70B", "F16", 131.42),
    ("Llama-3.2-1B", "Q4_K_M", 0.75),
    ("Llama-3.2-3B", "Q4_K_M", 1.87),
    ("Qwen2.5-7B", "Q4_K_M", 4.36),
    ("Qwen2.5-7B", "Q8_0", 7.54),
    ("Qwen2.5-14B", "Q4_K_M", 8.37),
    ("Qwen3-14B", "Q4_0", 7.95),
    ("Qwen3-14B", "Q4_K_S", 7.98),
    ("Qwen3-14B", "BF16", 27.51),
    ("Qwen3-30B-A3B", "Q4_K_M", 17.28),
    ("Qwen3-30B-A3B", "Q8_0", 30.25),
    ("Qwen3.5-9B", "BF16", 16.68),
    ("Qwen3.6-35B-A3B", "BF16", 64.60),
    ("Mistral-7B-v0.1", "Q4_0", 3.83),
    ("Ministral-3-8B", "BF16", 15.81),
    ("Gemma-3-12b-it", "Q8_0", 11.64),
    ("Gemma-3-27b-it", "F16", 50.31),
    ("gemma-3n-E4B", "Q8_0", 6.84),
    ("gemma-4-26B-A4B", "BF16", 47.02),
    ("Gemma-4-31B-IT", "BF16", 57.18),
    ("GLM-4.7-Flash", "BF16", 55.79),
    ("Llama-4-Scout-17B-16E-Instruct", "Q3_K_M", 48.19),
    ("gpt-oss-20b", "MXFP4", 11.27),
    ("gpt-oss-120b", "MXFP4", 59.02),
    ("DeepSeek-V4-Flash", "IQ2XXS-w2Q2K", 80.8),
]
QUANTIZE_GIB = """
IQ1_S 1.87|IQ1_M 2.01|IQ2_XXS 2.23|IQ2_XS 2.42|IQ2_S 2.56|IQ2_M 2.74|IQ3_XXS 3.04|IQ3_XS 3.27|IQ3_S 3.42|IQ3_M 3.52
IQ4_XS 4.17|IQ4_NL 4.38|Q2_K_S 2.78|Q2_K 2.95|Q3_K_S 3.41|Q3_K_L 4.02|Q4_K_S 4.36|Q4_K_M 4.58|Q5_K_S 5.21|Q5_K_M 5.33
Q6_K 6.14|Q8_0 7.95|F16 14.96
""".replace("\n", "|").strip("|")
"""Llama-3.1-8B in each file type, from tools/quantize/README.md of llama.cpp."""
MIXED_SIZES = [
    ("Gemma-4-31B-IT", "Q4_K_XL", 17.46),
    ("Gemma-4-31B-IT", "Q8_K_XL", 32.6),
    ("Nemotron-3-Super-120B-A12B", "Q4_K_XL", 78.02),
    ("Qwen3.5-122B-A10B", "Q5_K_XL", 85.6),
    ("Qwen3.5-9B", "Q8_K_XL", 12.07),
    ("Qwen3.6-27B", "Q4_K_XL", 16.39),
    ("Qwen3.6-27B", "Q8_K_XL", 33.31),
    ("Qwen3.6-35B-A3B", "Q4_K_XL", 20.81),
    ("Qwen3.6-35B-A3B", "Q8_K_XL", 35.8),
    ("gemma-4-26B-A4B", "Q4_K_XL", 15.9),
    ("gemma-4-26B-A4B", "Q8_K_XL", 25.94),
]


@pytest.mark.parametrize("name", sorted({*BITS, *FILE_TYPES.values()} - NOT_WEIGHTS))
def test_bits_follow_from_the_blocks(name: str) -> None:
    kind = MIXED.get(name, name)
    tensor = kind if kind in BITS else kind.rsplit("_", 1)[0]
    assert number_format(name).bits == pytest.approx(BITS[tensor])


def test_half_of_the_down_projections_have_more_bits() -> None:
    medium = number_format("Q4_K_M")
    assert medium.down_projection_bits(14336) == pytest.approx((4.5 + 6.5625) / 2)
    assert medium.head_bits == 6.5625
    assert medium.embedding_bits == 4.5


def test_narrow_rows_do_not_fit_large_blocks() -> None:
    medium = number_format("Q4_K_M")  # rows of 2880 are no multiple of 256: Q4_K becomes Q5_0, Q6_K becomes Q8_0
    assert medium.matrix_bits(2880) == 5.5
    assert medium.down_projection_bits(2880) == pytest.approx((5.5 + 8.5) / 2)
    assert number_format("Q4_0").matrix_bits(2880) == 4.5


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("AWQ-INT4", 4 + (16 + 4) / 128),
        ("GPTQ", 4 + (16 + 4) / 128),
        ("compressed-tensors-int4-g32-symmetric", 4 + 16 / 32),
        ("compressed-tensors-w4a16-g32-asym-rtn", 4 + (16 + 4) / 32),
        ("NVFP4", 4 + 8 / 16),
        ("MLX 4-bit", 4 + (16 + 16) / 64),
        ("MLX 8-bit", 8 + (16 + 16) / 64),
        ("q4f16_1", 4 + 16 / 32),
        ("bnb nf4", 4 + 32 / 64),
        ("HQQ", 4 + (16 + 16) / 64),
        ("gf4", (8 * 3 + 8) / 8),
        ("fp8", 8),
        ("exl3-6.0bpw-mcg", 6),
        ("EXL2 4.0bpw", 4),
        ("3.5bpw", 3.5),
    ],
)
def test_bits_of_other_engines(name: str, bits: float) -> None:
    assert number_format(name).bits == pytest.approx(bits)


@pytest.mark.parametrize(("name", "fmt", "gib"), PLAIN_SIZES)
def test_sizes_of_plain_files(name: str, fmt: str, gib: float) -> None:
    size = model(name).facts(number_format(fmt)).weight_bytes
    assert size is not None
    assert size / GIB == pytest.approx(gib, rel=0.015)


@pytest.mark.parametrize("row", QUANTIZE_GIB.split("|"))
def test_sizes_that_llama_quantize_gives(row: str) -> None:
    fmt, gib = row.split()
    size = model("Llama-3.1-8B").facts(number_format(fmt)).weight_bytes
    assert size is not None
    assert size / GIB == pytest.approx(float(gib), rel=0.015)


@pytest.mark.parametrize(("name", "fmt", "gib"), MIXED_SIZES)
def test_sizes_of_files_with_a_mixture_of_their_own(name: str, fmt: str, gib: float) -> None:
    size = model(name).facts(number_format(fmt)).weight_bytes
    assert size is not None
    assert size / GIB == pytest.approx(gib, rel=0.04)


@pytest.mark.parametrize("name", QUANTS.split("|"))
def test_names_that_measurements_use(name: str) -> None:
    assert number_format(name).bits > 0


@pytest.mark.parametrize("row", formats().values(), ids=lambda row: row.name)
def test_every_row_is_whole(row: Format) -> None:
    assert row.kind in KINDS
    assert row.source
    assert 1.0 < row.bits <= 32.0
    assert row.embedding_bits > 1.0
    assert row.head_bits > 1.0
    assert 0.0 < row.experts_kept <= 1.0


@pytest.mark.parametrize(
    ("said", "meant"),
    [("q4_k_m", "Q4_K_M"), ("UD-Q4_K_XL", "Q4_K_XL"), ("gguf-q6_k", "Q6_K"), ("fp4", "NVFP4"), ("Q4KM", "Q4_K_M")],
)
def test_other_spellings(said: str, meant: str) -> None:
    assert number_format(said).name == meant


def test_a_misspelt_format_is_refused_with_the_right_one() -> None:
    with pytest.raises(UnknownName, match="Q4_K_M"):
        number_format("Q4_K_N")
    for nothing in ("", "99bpw", "0.1bpw", "bpw", "4.0bpw 5.0bpw"):
        with pytest.raises(UnknownName):
            number_format(nothing)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("f16", 16),
        ("bf16", 16),
        ("f32", 32),
        ("q8_0", BITS["Q8_0"]),
        ("q5_1", BITS["Q5_1"]),
        ("q5_0", BITS["Q5_0"]),
        ("q4_1", BITS["Q4_1"]),
        ("q4_0", BITS["Q4_0"]),
        ("iq4_nl", BITS["IQ4_NL"]),
        ("fp8_e4m3", 8),
        ("fp8_e5m2", 8),
        ("auto", 16),
        ("Q8_0", 8.5),
    ],
)
def test_kv_formats(name: str, bits: float) -> None:
    assert kv_format(name).bits == bits
    assert kv_format(name).bytes == bits / 8


@given(st.text(max_size=200))
@example("exl3-4.0bpw\n")
@example("٤bpw")
def test_any_text_is_a_format_or_one_line(text: str) -> None:
    for look in (number_format, kv_format):
        try:
            assert look(text).bits > 0
        except UnknownName as refusal:
            assert len(str(refusal).splitlines()) == 1  # noqa: PT017
    assert len(kv_formats()) > 10
