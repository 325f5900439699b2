"""llmfit's estimate of decode tokens/s, as its source states it.

Repository AlexsJones/llmfit at commit 3f44fd3 (version 1.1.10), crate llmfit-core:

- src/fit.rs `estimate_tps`: all tiers below; `CalcConfig`, `RunModeFactors`: efficiency 0.55, mode factors GPU 1.0,
  mixture-of-experts offload 0.8, CPU offload 0.5, CPU only 0.3.
- src/models.rs `quant_bytes_per_param` (dense and offload), `quant_bpp` (mixtures of experts and memory),
  `quant_speed_multiplier` (constants per backend), `moe_bandwidth_decomposition`.

The KV cache and the file's true size are in none of them. A format that llmfit does not list counts as 4 bit, as there.
The first tier for mixtures of experts needs shapes that llmfit's own list of models has for some; here they come from
llmtop's catalogue, so that nearly all get it. Several cards in one machine add memory, not speed.
"""

from .case import Case
from .llmfit_names import bandwidth_by_name

EFFICIENCY = 0.55
MOE_OFFLOAD, CPU_OFFLOAD, CPU_ONLY = 0.8, 0.5, 0.3
FIXED_BYTES = 3.2
"""Bytes that each parameter outside the routed experts counts as, whatever its format."""
OVERHEAD, OVERHEAD_ABOVE = ((8, 0.90), (16, 0.85), (32, 0.80), (64, 0.70)), 0.40
"""Second tier, for models of unknown shape: by the number of experts."""
RAM_GBS = 50.0
"""Assumed for offloaded experts where the machine's RAM was not measured."""
PRESSURE_FROM, PRESSURE_FLOOR = 0.60, 0.30
SMALLEST = 0.1

FORMATS: dict[str, tuple[float, float, float]] = {
    "F32": (0.5, 4.0, 1.0),
    "F16": (2.0, 2.0, 0.6),
    "BF16": (2.0, 2.0, 0.6),
    "Q8_0": (1.0, 1.05, 0.8),
    "Q6_K": (0.75, 0.80, 0.95),
    "Q5_K_M": (0.625, 0.68, 1.0),
    "Q4_K_M": (0.5, 0.58, 1.15),
    "Q4_0": (0.5, 0.58, 1.15),
    "Q3_K_M": (0.375, 0.48, 1.25),
    "Q2_K": (0.25, 0.37, 1.35),
    "AWQ-4bit": (0.5, 0.5, 1.2),
    "GPTQ-Int4": (0.5, 0.5, 1.2),
    "AWQ-8bit": (1.0, 1.0, 0.85),
}
"""Bytes per parameter (dense), bytes per parameter (mixture of experts, memory), speed multiplier."""
OTHER = (0.5, 0.58, 1.0)
SPELLINGS = {"AWQ": "AWQ-4bit", "AWQ-INT4": "AWQ-4bit", "Q8_K_XL": "Q8_0", "Q6_K_XL": "Q6_K", "Q2_K_XL": "Q2_K"}
BACKENDS = {"cuda": 220.0, "metal": 160.0, "rocm": 180.0, "vulkan": 150.0, "sycl": 100.0}
CPU_ARM, CPU_X86 = 90.0, 70.0
MANY_THREADS, MANY_FACTOR = 8, 1.1


def llmfit_key(quantization: str) -> str | None:
    """The format as llmfit names it; None when it lists none. Its "UD-Q4_K_XL" has the bytes of its "Q4_K_M"."""
    name = quantization.upper().removeprefix("UD-")
    name = SPELLINGS.get(name, name)
    if name.endswith("_K_XL"):
        name = name.removesuffix("XL") + "M"
    return name if name in FORMATS else None


def llmfit(case: Case) -> float | None:
    """With llmtop's bandwidth, so that the formulas are compared and not the tables; None without one."""
    return _estimate(case, case.bandwidth_gbs)


def llmfit_own_table(case: Case) -> float | None:
    """With the bandwidth that llmfit itself finds for the device's name, or its constant per backend."""
    return _estimate(case, bandwidth_by_name(case.device.name))


def _estimate(case: Case, bandwidth: float | None) -> float | None:
    key = llmfit_key(case.quantization)
    dense_bytes, moe_bytes, multiplier = FORMATS[key] if key else OTHER
    params = max(case.active_b if case.moe else case.parameters_b, SMALLEST)
    if case.on_cpu:
        return _by_constant(case, CPU_ARM if case.arm else CPU_X86, params, multiplier) * CPU_ONLY
    if bandwidth is None:
        constant = BACKENDS.get(case.row.backend)
        if constant is None:
            return None
        speed = _by_constant(case, constant, params, multiplier)
        if case.spills and case.moe:  # the constant's own bandwidth in series with the RAM
            return MANY_FACTOR / (params * dense_bytes / RAM_GBS + params / constant)
        return speed * (CPU_OFFLOAD if case.spills else 1.0)
    if case.moe and case.spills:
        gigabytes = params * dense_bytes
        return MOE_OFFLOAD / (gigabytes / RAM_GBS + gigabytes / (bandwidth * EFFICIENCY))
    if case.moe:
        return _mixture(case, bandwidth, moe_bytes, params)
    return bandwidth / (params * dense_bytes) * EFFICIENCY * (CPU_OFFLOAD if case.spills else 1.0)


def threads(cores: int) -> int:
    """What llmfit counts as cores: above four, nearly all processors run two threads on each."""
    return cores * 2 if cores > 4 else cores


def _by_constant(case: Case, constant: float, params: float, multiplier: float) -> float:
    """The cores are known of CPUs only; a machine with a GPU is taken to have the eight threads that count as many."""
    cores = case.device.cores if case.on_cpu else None
    many = cores is None or threads(cores) >= MANY_THREADS
    return constant / params * multiplier * (MANY_FACTOR if many else 1.0)


def _mixture(case: Case, bandwidth: float, moe_bytes: float, params: float) -> float:
    facts, model = case.facts, case.model
    share = facts.expert_used_count / facts.expert_count
    penalty = _pressure(case, case.parameters_b * moe_bytes, share)
    layers, hidden, heads, size, vocab = model.layers, model.hidden, model.heads, model.head_dim, model.vocab
    if not (heads and size):
        experts = facts.expert_count
        overhead = next((factor for most, factor in OVERHEAD if experts <= most), OVERHEAD_ABOVE)
        return bandwidth / (params * moe_bytes) * EFFICIENCY * overhead * penalty
    routed_b = facts.expert_parameters * share / 1e9
    attention = layers * 2 * (heads + (model.kv_heads or heads)) * size * hidden
    router = layers * facts.expert_count * hidden
    fixed_b = (attention + router + 2 * vocab * hidden) / 1e9 + model.shared_m / 1e3
    return bandwidth / (routed_b * moe_bytes + fixed_b * FIXED_BYTES) * penalty


def _pressure(case: Case, gigabytes: float, share: float) -> float:
    """The penalty for a mixture of experts that fills the memory; none where the memory's size is not known."""
    used = gigabytes / case.memory_gib if case.memory_gib else 0.0
    if not PRESSURE_FROM <= used <= 1.0:
        return 1.0
    return max(1.0 - (used - PRESSURE_FROM) * (1.0 - share), PRESSURE_FLOOR)
