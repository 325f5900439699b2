"""The gain of byte and half-precision instructions."""

import pytest
from llmtop.probes.hardware.instructions import HALF, INT8, gain


@pytest.mark.parametrize(
    ("flags", "int8", "half"),
    [
        ("fpu sse4_2", 1.0, 1.0),
        ("avx2 fma", 2.0, 1.0),
        ("avx2 avx512f avx512_vnni avx512_bf16", 4.0, 2.0),
        ("avx2 avx_vnni", 4.0, 1.0),
        ("avx512_vnni amx_int8 amx_bf16", 32.0, 16.0),
        ("asimd asimddp asimdhp", 4.0, 2.0),
        ("asimd asimddp i8mm bf16", 8.0, 4.0),
    ],
)
def test_the_best_instruction_counts(flags: str, int8: float, half: float) -> None:
    assert gain(flags.split(), INT8) == int8
    assert gain(flags.split(), HALF) == half
