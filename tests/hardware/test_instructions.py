"""The gain of byte and half-precision instructions, and their names."""

import pytest
from llmtop.probes.hardware.cpu.instructions import HALF, INT8, gain, instruction_words


@pytest.mark.parametrize(
    ("flags", "int8", "half"),
    [
        ("fpu sse4_2", 1.0, 1.0),
        ("avx2 fma", 2.0, 1.0),
        ("avx2 avx512f avx512_vnni avx512_bf16", 4.0, 2.0),
        ("avx2 avx512f avx512vnni", 4.0, 1.0),
        ("avx2 avx_vnni", 4.0, 1.0),
        ("avx512_vnni amx_int8 amx_bf16", 32.0, 16.0),
        ("asimd asimddp asimdhp", 4.0, 2.0),
        ("asimd asimddp i8mm bf16", 8.0, 4.0),
    ],
)
def test_the_best_instruction_counts(flags: str, int8: float, half: float) -> None:
    assert gain(flags.split(), INT8) == int8
    assert gain(flags.split(), HALF) == half


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        # Sandy Bridge, Zen 3, Zen 4, Sapphire Rapids, Raptor Lake, Windows on Rocket Lake by py-cpuinfo
        ("sse4_2 avx", "AVX"),
        ("avx fma avx2", "AVX2"),
        (
            "avx fma avx2 avx512f avx512_bf16 avx512_vnni",
            "AVX-512 VNNI, AVX-512 BF16, AVX-512, AVX2",
        ),
        (
            "avx avx2 avx512f avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8",
            "AMX int8, AMX bf16, AVX-512 VNNI, AVX-512 BF16, AVX-512 FP16, AVX-512, AVX-VNNI, AVX2",
        ),
        ("avx avx2 avx_vnni", "AVX-VNNI, AVX2"),
        ("avx avx2 avx512f avx512vnni", "AVX-512 VNNI, AVX-512, AVX2"),
        # Cortex-A76, Neoverse-V1, Neoverse-V2, Apple M4
        ("fp asimd asimdhp asimddp", "dot products, fp16, NEON"),
        ("asimd asimdhp asimddp sve svei8mm svebf16 i8mm bf16", "SVE, i8mm, bf16, dot products, fp16, NEON"),
        ("asimd asimdhp asimddp sve sve2 i8mm bf16", "SVE2, i8mm, bf16, dot products, fp16, NEON"),
        ("asimd asimddp asimdhp i8mm bf16 sme sme2", "SME2, i8mm, bf16, dot products, fp16, NEON"),
        # Loongson 3A6000, SpacemiT K1
        ("cpucfg lam ual fpu lsx lasx", "LASX"),
        ("rvv", "RVV"),
        ("", ""),
    ],
)
def test_words(flags: str, words: str) -> None:
    assert ", ".join(instruction_words(flags.split())) == words
