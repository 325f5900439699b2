"""Classes of hardware: devices whose software reaches about the same share of what is on paper."""

from ..probes.sample import Device
from .software import Backend

ULTRA_CORES = 48
"""GPU cores from which an Apple chip is two dies side by side (M1 Ultra: 48)."""

GENERATIONS = (("gfx12", "RDNA4"), ("gfx11", "RDNA3"), ("gfx103", "RDNA2"), ("gfx10", "RDNA1"), ("gfx9", "Vega"))
"""By the beginning of the LLVM target, which stands for the instruction set."""


def default_backend(device: Device) -> Backend:
    """The backend that people use on a device."""
    if device.kind == "cpu":
        return "cpu"
    return {"NVIDIA": "cuda", "Apple": "metal", "AMD": "rocm", "Intel": "sycl"}.get(device.vendor, "vulkan")  # type: ignore[return-value]


def classes(backend: Backend, device: Device) -> tuple[str, ...]:
    """What the constants of a device are filed under, the general before the special."""
    if device.kind == "cpu" or backend == "cpu":
        return ("cpu",)
    return (backend, *SPECIAL[backend](device))


def generation(device: Device) -> str | None:
    """The generation of an AMD or Intel GPU: "RDNA4", "Vega", "Xe2"."""
    architecture = device.architecture or ""
    if device.vendor == "Intel":
        return architecture or None
    return next((name for start, name in GENERATIONS if architecture.startswith(start)), None)


def shares_memory(device: Device) -> bool:
    """Whether a GPU has no memory of its own but the CPU's; told by the probe, else by the type of the memory."""
    if device.unified_memory is not None:
        return device.unified_memory
    return device.memory_type in {"LPDDR", "DDR"}


def _cuda(device: Device) -> tuple[str, ...]:
    capability = _number(device.architecture)
    if capability is not None and capability < 7.0:
        return ("cuda before Volta",)
    if device.memory_type == "HBM":
        return ("cuda HBM",)
    if shares_memory(device):
        return ("cuda unified",)
    return ("cuda Turing",) if capability is not None and capability < 8.0 else ("cuda GDDR",)


def _metal(device: Device) -> tuple[str, ...]:
    return ("metal Ultra",) if (device.cores or 0) >= ULTRA_CORES or "Ultra" in device.name else ()


def _rocm(device: Device) -> tuple[str, ...]:
    if device.memory_type == "HBM":
        return ("rocm HBM",)
    if shares_memory(device):
        return ("rocm unified",)
    return ("rocm RDNA4",) if generation(device) == "RDNA4" else ("rocm RDNA",)


def _vulkan(device: Device) -> tuple[str, ...]:
    known = generation(device)
    return (f"vulkan {device.vendor}", f"vulkan {known}") if known else (f"vulkan {device.vendor}",)


def _sycl(device: Device) -> tuple[str, ...]:
    known = generation(device)
    return (f"sycl {known}",) if known else ()


SPECIAL = {"cuda": _cuda, "metal": _metal, "rocm": _rocm, "vulkan": _vulkan, "sycl": _sycl}
"""By backend: the classes of a device besides the backend itself."""


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
