"""What a device does on paper, as far as the software's instructions go: bytes and FLOPs a second."""

import re

from ..probes.sample import Device, ModelFacts
from .kinds import kind
from .silicon import generation
from .software import Software

FLOPS_PER_BYTE = 30.0
"""FP32 FLOPs per byte of bandwidth of a device whose rate is not known: the middle of the catalogue's."""
DUAL_ISSUE = 2.0
"""RDNA3 and RDNA4 count two instructions a clock in their FP32 rate, which unpacking weights hardly ever gets: halving
it lowers the error on held-out devices."""
HALF_LANES = frozenset({"6.0", "7.0", "7.2", "7.5", "8.0"})
"""Capabilities with 64 FP32 units a multiprocessor and not 128. All issue four instructions a clock, each for 32 lanes
(CUDA C++ Programming Guide, arithmetic instructions), and unpacking weights is mostly not FP32 arithmetic."""
WARP_RATE = 0.629
"""Share of the matrix rate of Hopper, and of the Blackwell of data centres, that instructions of one warp reach; the
rest needs those of warp groups, which llama.cpp does not use (Luo et al., arXiv 2402.13499)."""
WARP_GROUPS = frozenset({"9.0", "10.0", "10.3"})
DOT_PRODUCT = 4.5
"""INT8 over FP32 rate below which a card has no matrix units for int8, but an instruction that multiplies and adds four
bytes (dp4a, from capability 6.1 on). llama.cpp's matrix kernels for quantised weights use it (ggml-cuda/mmq.cuh)."""
WHOLE = frozenset({"16-bit", "32-bit"})
"""Kinds of weights that are not quantised."""
GEFORCE = re.compile(r"\bRTX [2-5]0[5-9]0\b")
GEFORCE_RATE = 0.5
"""Share of the matrix rate of GeForce cards when sums are kept in 32 bit, as PyTorch's and TensorRT's kernels do
(NVIDIA's Ada and Ampere GA102 white papers); llama.cpp keeps them in 16 bit or in int32."""
HALF_RATES = 2.0
"""FP16 over FP32 rate of a device whose matrix rate is not known."""
STREAM_SHARE = 0.8
"""Share of the paper bandwidth that a read test of all cores measures where the memory is the limit: 0.67-0.79 in TI's
STREAM figures, 0.77 on a Raspberry Pi 5 (llama.cpp issue 26484), 0.82 on an i9-14900KF (colibri issue 537)."""


def bandwidth_of(device: Device) -> float | None:
    """Bytes a second on paper, which the constants are held against; of a measured CPU, what would be on paper.

    A CPU's paper figure says little of what its cores can draw, so a measurement goes before it. None where not known.
    """
    known = device.bandwidth_gbs
    if device.kind == "cpu" and known.measured:
        return known.measured * 1e9 / STREAM_SHARE
    gbs = known.peak or known.measured
    return gbs * 1e9 if gbs else None


def arithmetic(device: Device, bandwidth: float) -> float:
    """FLOP/s of plain arithmetic, or what its instructions would make if all were that."""
    issued = 2.0 if device.vendor == "NVIDIA" and device.architecture in HALF_LANES else 1.0
    return issued * _fp32(device, bandwidth)


def peak(device: Device, bandwidth: float, software: Software, facts: ModelFacts | None = None) -> float:
    """FLOP/s of the matrix units for these weights, or for 16 bit; of a CPU those of its vector units."""
    if device.kind == "cpu":
        return _fp32(device, bandwidth)
    rate = (device.compute_tflops.fp16 or 0.0) * 1e12 or _half_rates(device) * _fp32(device, bandwidth)
    stored = kind(facts) if facts else "16-bit"
    if software.engine.kin == "llama.cpp":
        return _warps(device, rate, stored)
    if GEFORCE.search(device.name):
        rate *= GEFORCE_RATE
    return rate * _narrow(device, facts) if facts and software.engine.kin in {"serving", "compiled"} else rate


def cores_used(device: Device, threads: int | None) -> float:
    """Share of a CPU's arithmetic that so many threads have."""
    if device.kind != "cpu" or not threads or not device.cores:
        return 1.0
    return min(threads, device.cores) / device.cores


def _warps(device: Device, rate: float, stored: str) -> float:
    """What llama.cpp's kernels can reach at most."""
    if device.vendor != "NVIDIA":
        return rate
    rates = device.compute_tflops
    if stored not in WHOLE and (rates.int8 or 0.0) < DOT_PRODUCT * (rates.fp32 or 0.0):
        return max(rate, (rates.int8 or 0.0) * 1e12)
    return rate * WARP_RATE if device.architecture in WARP_GROUPS else rate


def _narrow(device: Device, facts: ModelFacts) -> float:
    """How many times the rate of 16 bit is that of numbers of 8 and 4 bits, where both sides have them."""
    if kind(facts) == "fp8" and _has(device, 8.9, ("gfx94", "gfx95", "gfx12")):
        return 2.0
    return 4.0 if "NVFP4" in (facts.quantization or "") and _has(device, 10.0, ()) else 1.0


def _has(device: Device, capability: float, targets: tuple[str, ...]) -> bool:
    """Whether a device is of this capability or later, or one of these targets."""
    known = device.architecture or ""
    if device.vendor == "NVIDIA":
        return known.replace(".", "", 1).isdecimal() and float(known) >= capability
    return bool(targets) and known.startswith(targets)


def _fp32(device: Device, bandwidth: float) -> float:
    rate = (device.compute_tflops.fp32 or 0.0) * 1e12 or FLOPS_PER_BYTE * bandwidth
    return rate / DUAL_ISSUE if device.vendor == "AMD" and generation(device) in {"RDNA3", "RDNA4"} else rate


def _half_rates(device: Device) -> float:
    """FP16 over FP32 rate of a GPU whose matrix rate is not known. Old ones gain nothing from 16 bit."""
    old = device.vendor == "NVIDIA" and (device.architecture or "9") < "7"
    return 1.0 if old else HALF_RATES
