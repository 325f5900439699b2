"""What the vector and matrix instructions of a CPU are called, and what they add to its float32 rate.

Multiply-adds per instruction pair, against fused float32 ones of the same width: AVX2 and AVX-512 without VNNI multiply
bytes in three instructions for two (x2); VNNI and Arm's dot products do four bytes a lane (x4), Arm's i8mm eight (x8);
AMX does 16 x 16 x 64 bytes in 16 cycles, 32 times AVX-512's two float32 units. bfloat16 and half precision double the
lanes (x2), AMX gives x16. Sources: Intel 64 optimisation reference manual, chapters on VNNI and AMX; Arm ARM, FEAT_*.
"""

from collections.abc import Iterable

INT8 = (
    (32.0, {"amx_int8"}),
    (8.0, {"i8mm"}),
    (4.0, {"avx512_vnni", "avx512vnni", "avx_vnni", "asimddp"}),
    (2.0, {"avx2", "asimd"}),
)
HALF = (
    (16.0, {"amx_bf16", "amx_fp16"}),
    (4.0, {"bf16"}),
    (2.0, {"avx512_bf16", "avx512_fp16", "asimdhp"}),
)

_WORDS = (
    ("AMX int8", {"amx_int8"}),
    ("AMX bf16", {"amx_bf16"}),
    ("AMX fp16", {"amx_fp16"}),
    ("AVX10.2", {"avx10_2"}),
    ("AVX-512 VNNI", {"avx512_vnni", "avx512vnni"}),
    ("AVX-512 BF16", {"avx512_bf16"}),
    ("AVX-512 FP16", {"avx512_fp16"}),
    ("AVX-512", {"avx512f"}),
    ("AVX-VNNI INT8", {"avx_vnni_int8"}),
    ("AVX-VNNI", {"avx_vnni"}),
    ("AVX2", {"avx2"}),
    ("AVX", {"avx"}),
    ("SME2", {"sme2"}),
    ("SME", {"sme"}),
    ("SVE2", {"sve2"}),
    ("SVE", {"sve"}),
    ("i8mm", {"i8mm", "svei8mm"}),
    ("bf16", {"bf16", "svebf16"}),
    ("dot products", {"asimddp"}),
    ("fp16", {"asimdhp"}),
    ("NEON", {"asimd", "neon"}),
    ("LASX", {"lasx"}),
    ("LSX", {"lsx"}),
    ("RVV", {"rvv"}),
    ("VSX", {"vsx"}),
)
"""In words, the worthiest first, with the names that Linux prints (arch/*/kernel/cpu*) or py-cpuinfo gives."""

_IMPLIED = {"AVX": {"AVX2"}, "LSX": {"LASX"}, "SVE": {"SVE2"}, "SME": {"SME2"}}
"""What goes without saying beside the other."""


def gain(flags: Iterable[str], table: tuple[tuple[float, set[str]], ...]) -> float:
    """How many times the float32 rate the best of these instructions reaches; 1 without any of them."""
    have = set(flags)
    return next((factor for factor, names in table if names & have), 1.0)


def instruction_words(flags: Iterable[str]) -> tuple[str, ...]:
    """Those that decide what inference reaches, as people write them."""
    have = set(flags)
    words = [word for word, names in _WORDS if names & have]
    return tuple(word for word in words if not _IMPLIED.get(word, set()) & set(words))
