"""What holds the clocks of an NVIDIA GPU down, in words."""

from .nvml import NvmlDevice

_IDLE = 0x01
"""Nothing runs: no reason to worry."""
_REASONS = (
    (0x04, "power cap"),
    (0x40, "too hot (hardware)"),
    (0x20, "too hot (software)"),
    (0x80, "power brake"),
    (0x08, "hardware slowdown"),
    (0x02, "application clocks"),
    (0x10, "sync boost"),
    (0x100, "display clocks"),
    (0x200, "board limit"),
    (0x400, "reliability"),
)
"""nvmlClocksEventReason* of nvml.h (CUDA 13.4), those that hold the clocks down most first."""
_KNOWN = _IDLE | sum(bit for bit, _ in _REASONS)


def throttle_reasons(device: NvmlDevice) -> tuple[str, ...]:
    """Those of now; drivers before 535 know the question under its old name only."""
    bits = device.number("nvmlDeviceGetCurrentClocksEventReasons")
    if bits is None:
        bits = device.number("nvmlDeviceGetCurrentClocksThrottleReasons")
    return in_words(bits or 0)


def in_words(bits: int) -> tuple[str, ...]:
    """A reason that is newer than this list is told by its number."""
    unknown = bits & ~_KNOWN
    words = tuple(words for bit, words in _REASONS if bits & bit)
    return (*words, f"reason {unknown:#x}") if unknown else words
