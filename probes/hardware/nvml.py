"""NVIDIA's library as the rest of the folder sees it: typed answers, None for what it cannot tell.

The binding is untyped and raises one class of exception, whose `value` is NVML's return code; both end here.
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

LIBRARY_MISSING = 12
FUNCTION_MISSING = 13
_NOTHING = {0, 6}
"""Success and not found: the binding makes an error of a list that is empty at its first look, too."""
_LOST = {
    15: "GPU is lost: it fell off the bus; reboot or reset it",
    16: "GPU needs a reset: nvidia-smi --gpu-reset, or reboot",
}
_INIT = {
    4: "NVIDIA driver: no permission to use it; see the rights on /dev/nvidia*",
    9: "NVIDIA driver is installed but not loaded; load it (sudo modprobe nvidia) or reboot",
    15: "NVIDIA driver cannot reach a GPU: it fell off the bus; reboot or reset it",
    18: "NVIDIA driver and library are of different versions, as after an update; reboot, or reload the driver",
}


class Nvml:
    """Asks the library. Importing the binding takes tens of milliseconds, so this is made when first needed."""

    def __init__(self) -> None:
        self.lost: str | None = None
        """Set when a GPU answers that it is gone; whoever asks clears it before the questions about one GPU."""
        self._binding = import_module("pynvml")
        self._error = cast("type[Exception]", self._binding.NVMLError)

    def start(self) -> tuple[int, str | None]:
        """Number of GPUs, and what keeps the driver from telling."""
        try:
            self._binding.nvmlInit()
            return cast("int", self._binding.nvmlDeviceGetCount()), None
        except self._error as error:
            code = _code(error)
            if code == LIBRARY_MISSING:
                return 0, None
            return 0, _INIT.get(code, f"NVIDIA driver does not start: {error}; nvidia-smi may say more")

    def ask(self, function: str, *arguments: object) -> object | None:
        """The answer of one function of NVML; None for an error of any kind."""
        try:
            call = cast("Callable[..., object]", getattr(self._binding, function))
            return call(*arguments)
        except self._error as error:
            self.lost = self.lost or _LOST.get(_code(error))
            return None

    def listed(self, function: str, *arguments: object) -> list[object] | None:
        """The answer of a function that lists; empty where NVML finds nothing, None for an error of another kind."""
        try:
            call = cast("Callable[..., list[object]]", getattr(self._binding, function))
            return call(*arguments)
        except self._error as error:
            self.lost = self.lost or _LOST.get(_code(error))
            return [] if _code(error) in _NOTHING else None

    def number(self, function: str, *arguments: object) -> int | None:
        """The answer of a function that counts."""
        answer = self.ask(function, *arguments)
        return answer if isinstance(answer, int) else None

    def scaled(self, scale: float, function: str, *arguments: object) -> float | None:
        """The answer of a function that counts, times `scale`."""
        answer = self.ask(function, *arguments)
        return answer * scale if isinstance(answer, int) else None

    def field(self, name: str, function: str, *arguments: object) -> int | None:
        """One member of a structure."""
        return member(self.ask(function, *arguments), name)


def member(structure: object, name: str) -> int | None:
    """A member of a structure that NVML filled; None when it is missing or not available."""
    value = cast("object", getattr(structure, name, None))
    return value if isinstance(value, int) else None


def _code(error: Exception) -> int:
    return member(error, "value") or 0
