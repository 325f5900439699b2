"""Peak arithmetic and memory rates of NVIDIA GPUs from what NVML says of them.

Rates per SM and clock: NVIDIA's CUDA C++ Programming Guide, "Arithmetic Instructions", and the architecture whitepapers
(V100, Turing, GA100, GA102, AD102, H100, Blackwell). At the boost clock that a data sheet names they give its dense
float16 figure: V100 125, T4 65, A100 312, RTX 3090 142, RTX 4090 330, H100 SXM 989, B200 2250 TFLOPS.
"""

from msgspec import Struct

from ...sample import Bandwidth, Compute


class _Rate(Struct, frozen=True):
    """What one SM of an architecture does in a clock."""

    cores: int
    """float32 lanes, two FLOPs each."""
    fp16: int | None
    """Dense FLOPs of the tensor cores, else of the lanes; None where float16 is slower than float32."""
    int8: int | None


_RATES = {
    "5.0": _Rate(128, None, None),
    "5.2": _Rate(128, None, None),
    "6.0": _Rate(64, 256, None),
    "6.1": _Rate(128, None, 1024),
    "7.0": _Rate(64, 1024, 512),
    "7.2": _Rate(64, 1024, 2048),
    "7.5": _Rate(64, 1024, 2048),
    "8.0": _Rate(64, 2048, 4096),
    "8.6": _Rate(128, 1024, 2048),
    "8.7": _Rate(128, 2048, 4096),
    "8.9": _Rate(128, 1024, 2048),
    "9.0": _Rate(128, 4096, 8192),
    "10.0": _Rate(128, 8192, 16384),
    "10.3": _Rate(128, 8192, None),
    "12.0": _Rate(128, 1024, 2048),
    "12.1": _Rate(128, 1024, 2048),
}

_SMALL_TURING = _Rate(64, 256, 512)
"""TU116 and TU117 (GTX 16, Quadro T): compute capability 7.5, no tensor cores, fewer lanes than any with them."""
_SMALL_TURING_CORES = 1536


def peak_bandwidth(clock_mhz: int | None, bus_bits: int | None) -> Bandwidth:
    """Two transfers a clock as NVML states it, for GDDR5 to GDDR7 and for HBM alike.

    RTX 4090: 10501 MHz and 384 bit are 1008 GB/s. A100 80 GB: 1593 MHz and 5120 bit are 2039 GB/s.
    """
    if not clock_mhz or not bus_bits:
        return Bandwidth(basis="the driver does not state memory clock and bus width")
    basis = f"memory clock {clock_mhz} MHz x 2 x {bus_bits} bit (NVML)"
    return Bandwidth(peak=clock_mhz * 2 * bus_bits / 8 / 1000, basis=basis)


def memory_type(bus_bits: int | None) -> str | None:
    """Only stacked memory has a bus of 2048 bits and more."""
    if not bus_bits:
        return None
    return "HBM" if bus_bits >= 2048 else "GDDR"


def lanes(architecture: str | None) -> int | None:
    """CUDA cores of one SM."""
    rate = _RATES.get(architecture or "")
    return rate.cores if rate else None


def peak_compute(architecture: str | None, cores: int | None, clock_mhz: int | None) -> Compute:
    """Dense peaks at the highest SM clock that the card may take."""
    rate = _RATES.get(architecture or "")
    if architecture == "7.5" and cores and cores <= _SMALL_TURING_CORES:
        rate = _SMALL_TURING
    if not rate or not cores or not clock_mhz:
        return Compute(basis="no rates are known for this GPU, or the driver does not state its cores and clock")
    multiprocessors = cores // rate.cores

    def peak(per_clock: int | None) -> float | None:
        return multiprocessors * per_clock * clock_mhz / 1e6 if per_clock else None

    basis = f"{multiprocessors} SMs at {clock_mhz} MHz, rates of compute capability {architecture}"
    return Compute(fp32=peak(2 * rate.cores), fp16=peak(rate.fp16), int8=peak(rate.int8), basis=basis)
