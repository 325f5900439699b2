"""What the vector and matrix instructions of a CPU add to its float32 rate.

Multiply-adds per instruction pair, against fused float32 ones of the same width: AVX2 and AVX-512 without VNNI multiply
bytes in three instructions for two (x2); VNNI and Arm's dot products do four bytes a lane (x4), Arm's i8mm eight (x8);
AMX does 16 x 16 x 64 bytes in 16 cycles, 32 times AVX-512's two float32 units. bfloat16 and half precision double the
lanes (x2), AMX gives x16. Sources: Intel 64 optimisation reference manual, chapters on VNNI and AMX; Arm ARM, FEAT_*.
"""

from collections.abc import Iterable

INT8 = (
    (32.0, {"amx_int8"}),
    (8.0, {"i8mm"}),
    (4.0, {"avx512_vnni", "avx_vnni", "asimddp"}),
    (2.0, {"avx2", "asimd"}),
)
HALF = (
    (16.0, {"amx_bf16", "amx_fp16"}),
    (4.0, {"bf16"}),
    (2.0, {"avx512_bf16", "avx512_fp16", "asimdhp"}),
)


def gain(flags: Iterable[str], table: tuple[tuple[float, set[str]], ...]) -> float:
    """How many times the float32 rate the best of these instructions reaches; 1 without any of them."""
    have = set(flags)
    return next((factor for factor, names in table if names & have), 1.0)
