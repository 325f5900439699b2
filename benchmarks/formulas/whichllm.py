"""whichllm's estimate of decode tokens/s, as its source states it.

Repository Andyyyy64/whichllm at commit a897551:

- src/whichllm/engine/performance.py `estimate_tok_per_sec`, `_moe_effective_read_ratio`, `_QUANT_EFFICIENCY`,
  `_BACKEND_FACTOR`: bandwidth / bytes x efficiency of the format x factor of the vendor; a floor under the share of a
  mixture of experts that is read; CPUs by parameters alone.
- src/whichllm/engine/quantization.py `estimate_weight_bytes`: the file's size for GGUF, else parameters x bytes.
- src/whichllm/engine/ranker.py `_MULTI_GPU_SPEED_FACTOR`: several cards run at 0.7 of one.
- src/whichllm/models/fetcher.py `_extract_quant_type`: a name that ends in "Q4_K_XL" is read as "Q4_K", which has no
  efficiency of its own.

The KV cache is not in it.
"""

import re

from .case import Case

EFFICIENCY = {
    "F32": 0.30,
    "F16": 0.40,
    "BF16": 0.40,
    "Q8_0": 0.45,
    "Q6_K": 0.50,
    "Q5_K_M": 0.52,
    "Q5_K_S": 0.52,
    "Q5_0": 0.50,
    "Q4_K_M": 0.55,
    "Q4_K_S": 0.55,
    "Q4_0": 0.53,
    "NVFP4": 0.56,
    "MXFP4": 0.55,
    "Q3_K_M": 0.50,
    "Q3_K_S": 0.48,
    "Q3_K_L": 0.50,
    "Q2_K": 0.45,
    "IQ4_XS": 0.52,
    "IQ4_NL": 0.50,
    "IQ3_S": 0.45,
    "IQ3_M": 0.45,
    "IQ3_XS": 0.45,
    "IQ3_XXS": 0.42,
    "IQ2_S": 0.40,
    "IQ2_M": 0.40,
    "IQ2_XXS": 0.38,
    "IQ1_M": 0.35,
    "IQ1_S": 0.35,
}
OTHER_EFFICIENCY = 0.45
VENDOR = {"nvidia": 1.00, "amd": 0.78, "apple": 0.82, "intel": 0.65}
OTHER_VENDOR = 0.7
BYTES = (
    (r"awq|gptq|int4|4[-_]?bit|q4f16", 0.5),
    (r"mxfp4", 0.53125),
    (r"nvfp4", 0.5625),
    (r"int8|8bit|fp8", 1.0),
)
"""Bytes per weight of what is no GGUF file, by the first pattern that the format's name holds; else 16 bit."""
MOE_FLOOR, MOE_FLOOR_AT_GBS, MOE_FLOOR_MOST = 0.05, 256.0, 0.25
SHARED_OFFLOAD, OFFLOAD, SEVERAL = 0.85, 0.45, 0.70
CPU_SPEED, CPU_LEAST_B, CPU_SLOWEST = 18.0, 0.5, 0.3


def whichllm(case: Case) -> float | None:
    """Tokens/s with llmtop's bandwidth; None for a GPU without one."""
    efficiency = EFFICIENCY.get(_key(case), OTHER_EFFICIENCY)
    if case.on_cpu:
        params_b = max(case.active_b if case.moe else case.parameters_b, CPU_LEAST_B)
        return max(CPU_SPEED / params_b * efficiency / OTHER_EFFICIENCY, CPU_SLOWEST)
    size, bandwidth = _weight_bytes(case), case.bandwidth_gbs
    if size is None or bandwidth is None:
        return None
    if case.moe:
        floor = min(MOE_FLOOR * max(1.0, bandwidth / MOE_FLOOR_AT_GBS), MOE_FLOOR_MOST)
        size *= min(max(case.active_b / case.parameters_b, floor), 1.0)
    speed = bandwidth * 1e9 / size * efficiency * VENDOR.get(case.device.vendor.lower(), OTHER_VENDOR)
    if case.spills:
        speed *= SHARED_OFFLOAD if case.unified else OFFLOAD
    return speed * (SEVERAL if case.n_devices > 1 and not case.unified else 1.0)


def _weight_bytes(case: Case) -> float | None:
    if case.gguf:
        return case.facts.weight_bytes
    name = case.quantization.lower()
    return case.parameters_b * 1e9 * next((size for pattern, size in BYTES if re.search(pattern, name)), 2.0)


def _key(case: Case) -> str:
    """A 16-bit model that is no GGUF file is called "FP16" there, which has no efficiency of its own."""
    name = case.quantization.upper().removeprefix("UD-")
    return name if case.gguf or "FP4" in name else ""
