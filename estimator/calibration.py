"""What good software reaches: the ceiling's physics with a few constants fitted on published measurements.

    step(B) = layers x t_layer + max(memory, compute) + half of the smaller
    memory  = (weights + KV) / (eta x bandwidth),   compute = 2 x active x B / (eta_c x peak)

On CPUs the slower of the two decides, and unpacking quantised weights takes most of the arithmetic:

    step(B) = max(memory, 2 x active x B / (unpack x fp32 rate of the threads))

Fitted on 131 published llama.cpp and Ollama decode rows of 25 NVIDIA cards (2023-2026). The CPU constants are priors,
not a fit: llama.cpp with random 1.1 B models on two machines reached 0.2 to 0.6 of the arithmetic of the float32 matrix
product.
"""

from msgspec import Struct

from ..probes.sample import Device, ModelFacts
from .model import Load, active_parameters, decode_flops, kv_bytes_read, prefill_flops, touched_share, weight_bytes_read
from .roofline import total_bandwidth
from .snapshot import Band, Expected


class Constants(Struct, frozen=True, kw_only=True):
    """The constants of one class of hardware and software."""

    eta: float
    """Share of the peak bandwidth that streaming weights reaches."""
    layer_s: float
    """Fixed seconds a layer: kernel launches, small operations."""
    decode: tuple[float, float]
    """Measured over predicted, p10 and p90."""
    eta_c: float | None = None
    """Share of the fp16 peak that prefill reaches."""
    prefill: tuple[float, float] = (1.0, 1.0)
    basis: str


GDDR = Constants(
    eta=0.86,
    layer_s=80e-6,
    decode=(0.91, 1.12),
    eta_c=0.287,
    prefill=(0.59, 1.52),
    basis="CUDA GDDR, llama.cpp 2023-2026, 98 rows on 18 devices",
)
HBM = Constants(
    eta=0.58,
    layer_s=100e-6,
    decode=(0.85, 1.15),
    eta_c=0.21,
    prefill=(0.6, 1.6),
    basis="CUDA HBM, llama.cpp 2024-2026, 25 rows on 3 devices",
)
OLD = Constants(
    eta=0.44,
    layer_s=200e-6,
    decode=(0.7, 1.2),
    basis="CUDA before Ampere, llama.cpp, 8 rows on 4 devices",
)
CPU = Constants(eta=0.8, layer_s=0.0, decode=(0.5, 1.8), basis="CPU, llama.cpp, a prior")

UNPACK = 0.4
"""Share of the float32 matrix product's rate that decoding quantised weights reaches on a CPU."""
UNCALIBRATED = (0.6, 1.4)
"""The band of an engine that has no constants of its own yet."""
CALIBRATED_ENGINES = frozenset({"llama.cpp", "Ollama"})
AMPERE = 8.0


def expected(engine: str, facts: ModelFacts | None, load: Load, devices: list[Device], threads: int | None) -> Expected:
    """The expected decode and prefill rates over all streams, in tokens/s, with their bands and what they rest on."""
    if facts is None or not devices:
        return Expected()
    weights = weight_bytes_read(facts, touched_share(facts, load.streams))
    active, bandwidth = active_parameters(facts), total_bandwidth(devices)
    constants = _constants(devices)
    if weights is None or active is None or bandwidth is None or constants is None:
        return Expected()
    if len(devices) > 1:
        bandwidth /= len(devices)  # a pipeline split: one device works at a time
    streams = max(load.streams, 1.0)
    memory_s = (weights + (kv_bytes_read(facts, load) or 0.0)) / (constants.eta * bandwidth * 1e9)
    if devices[0].kind == "cpu":
        if devices[0].cache_bytes and weights <= devices[0].cache_bytes:
            return Expected()
        return _on_cpu(devices[0], streams, memory_s, 2.0 * active * streams, threads)
    peak = (devices[0].compute_tflops.fp16 or 0.0) * 1e12
    compute_s = (decode_flops(facts, load) or 0.0) / (constants.eta_c * peak) if constants.eta_c and peak else 0.0
    step_s = (facts.layers or 0) * constants.layer_s + max(memory_s, compute_s) + min(memory_s, compute_s) / 2
    calibrated = engine in CALIBRATED_ENGINES
    prompt = prefill_flops(facts)
    prefill = constants.eta_c * peak / prompt if constants.eta_c and peak and prompt else None
    return Expected(
        decode_tps=_band(streams / step_s, constants.decode if calibrated else UNCALIBRATED),
        prefill_tps=_band(prefill, constants.prefill) if prefill else None,
        limit="bandwidth" if memory_s >= compute_s else "compute",
        basis=constants.basis if calibrated else f"{constants.basis}; {engine} has no constants of its own yet",
    )


def _on_cpu(cpu: Device, streams: float, memory_s: float, flops: float, threads: int | None) -> Expected:
    """Decode on a CPU whose bandwidth and arithmetic were measured."""
    rate = (cpu.compute_tflops.fp32 or 0.0) * 1e12
    if not rate:
        return Expected()
    cores = cpu.cores or 1
    used = min(threads or cores, cores)
    compute_s = flops / (UNPACK * rate * used / cores)
    basis = f"{CPU.basis}; {used} of {cores} cores{'' if threads else ' assumed'}"
    return Expected(
        decode_tps=_band(streams / max(memory_s, compute_s), CPU.decode),
        limit="bandwidth" if memory_s >= compute_s else "compute",
        basis=basis,
    )


def _constants(devices: list[Device]) -> Constants | None:
    """The class of the devices; None when they are of unlike classes, or of one that nothing was fitted for."""
    classes = [_class(device) for device in devices]
    return classes[0] if all(found is classes[0] for found in classes) else None


def _class(device: Device) -> Constants | None:
    if device.kind == "cpu":
        return CPU
    if device.vendor != "NVIDIA" or device.architecture is None:
        return None
    if float(device.architecture) < AMPERE:
        return OLD
    return HBM if device.memory_type == "HBM" else GDDR


def _band(value: float, ratios: tuple[float, float]) -> Band:
    low, high = ratios
    return Band(value=value, low=value * low, high=value * high)
