"""NVIDIA's library as the rest of the folder sees it: typed answers, None for what it cannot tell.

The binding is untyped and raises one class of exception, whose `value` is NVML's return code; both end here. Its plain
names of versioned functions raise an error of another class on old drivers: ask for those with the version in the name.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from time import monotonic
from typing import cast

_SUCCESS = 0
_UNSUPPORTED = 3
_FORBIDDEN = 4
_NOT_FOUND = 6
_LIBRARY_MISSING = 12
_FUNCTION_MISSING = 13
_UNKNOWN = 999
_TOLD = {_SUCCESS, _UNSUPPORTED, _FORBIDDEN}
"""Codes of a GPU that is there."""
_OPEN = {_NOT_FOUND, _FUNCTION_MISSING}
"""Codes that say nothing of that; all others may be those of a GPU that is gone."""
_LOST = {
    15: "GPU is lost: it fell off the bus; reboot or reset it",
    16: "GPU needs a reset: nvidia-smi --gpu-reset, or reboot",
}
_ACCESS = {_FORBIDDEN: "no permission to use this GPU; see the rights on /dev/nvidia*"}
_INIT = {
    _FORBIDDEN: "NVIDIA driver: no permission to use it; see the rights on /dev/nvidia*",
    9: "NVIDIA driver is installed but not loaded; load it (sudo modprobe nvidia) or reboot",
    15: "NVIDIA driver cannot reach a GPU: it fell off the bus; reboot or reset it",
    18: "NVIDIA driver and library are of different versions, as after an update; reboot, or reload the driver",
}
_DEAF_S = 60.0
"""Seconds until a question is asked again that the driver does not know for this device."""
_FIELD_VALUES = "nvmlDeviceGetFieldValues"
"""Answers always; each field has a code of its own."""
_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")
"""Of the union that holds the value of a field, by nvmlValueType_t."""


class Nvml:
    """The library. Importing the binding takes tens of milliseconds, so this is made when first needed."""

    def __init__(self) -> None:
        self._binding = import_module("pynvml")
        self._error = cast("type[Exception]", self._binding.NVMLError)

    def start(self) -> tuple[int, str | None]:
        """Number of GPUs, and what keeps the driver from telling."""
        try:
            self._binding.nvmlInit()
            return cast("int", self._binding.nvmlDeviceGetCount()), None
        except self._error as error:
            code = _code(error)
            if code == _LIBRARY_MISSING:
                return 0, None
            return 0, _INIT.get(code, f"NVIDIA driver does not start: {error}; nvidia-smi may say more")

    def driver(self) -> str | None:
        """Name and version of the driver: "NVIDIA 580.65.06"."""
        version, _ = self.call("nvmlSystemGetDriverVersion")
        return f"NVIDIA {version}" if isinstance(version, str) and version else None

    def gpu(self, index: int, clock: Callable[[], float] = monotonic) -> "tuple[NvmlDevice | None, str | None]":
        """One GPU by its index, or what keeps it away."""
        handle, code = self.call("nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            return None, _LOST.get(code) or _ACCESS.get(code, "the driver gives no access to this GPU")
        return NvmlDevice(self, handle, clock), None

    def call(self, function: str, *arguments: object) -> tuple[object | None, int]:
        """The answer of one function and NVML's return code; no answer with any code but 0."""
        call = cast("Callable[..., object] | None", getattr(self._binding, function, None))
        if call is None:
            return None, _FUNCTION_MISSING
        try:
            return call(*arguments), _SUCCESS
        except self._error as error:
            return None, _code(error)
        except ValueError:  # a name that is no text
            return None, _UNKNOWN

    def structure(self, name: str) -> object:
        """A new structure of the binding."""
        return cast("Callable[[], object]", getattr(self._binding, name))()


class NvmlDevice:
    """One GPU, or an instance of one, as the library answers for it. One thread at a time may ask.

    What the driver does not support for it is asked again after a minute only.
    """

    def __init__(self, nvml: Nvml, handle: object, clock: Callable[[], float] = monotonic) -> None:
        self.nvml = nvml
        self.handle = handle
        self.lost: str | None = None
        """Set when it answers that it is gone."""
        self.forbidden: set[str] = set()
        """Functions that this user may not call."""
        self._clock = clock
        self._deaf: dict[str, float] = {}
        self._heard: bool | None = None

    def listen(self) -> None:
        """Begins a reading."""
        self._heard = None

    @property
    def mute(self) -> bool:
        """Whether it answered with errors only since the reading began."""
        return self._heard is False

    def ask(self, function: str, *arguments: object) -> object | None:
        """The answer of one function of NVML about this device; None for an error of any kind."""
        return self._ask(function, *arguments)[0]

    def listed(self, function: str, *arguments: object) -> list[object] | None:
        """The answer of a function that lists; empty where NVML finds nothing, None for an error of another kind.

        The binding makes an error of a list that is empty at its first look, with the code of success.
        """
        answer, code = self._ask(function, *arguments)
        if answer is None and code in {_SUCCESS, _NOT_FOUND}:
            return []
        return cast("list[object]", answer) if isinstance(answer, list) else None

    def number(self, function: str, *arguments: object) -> int | None:
        """The answer of a function that counts."""
        answer = self.ask(function, *arguments)
        return answer if isinstance(answer, int) else None

    def scaled(self, scale: float, function: str, *arguments: object) -> float | None:
        """The answer of a function that counts, times `scale`."""
        answer = self.ask(function, *arguments)
        return answer * scale if isinstance(answer, int) else None

    def text(self, function: str) -> str | None:
        """The answer of a function that names."""
        answer = self.ask(function)
        return answer if isinstance(answer, str) and answer else None

    def field(self, name: str, function: str) -> int | None:
        """One member of a structure."""
        return member(self.ask(function), name)

    def fields(self, wanted: Sequence[tuple[int, int]]) -> list[float | None]:
        """Several fields at once, each asked for by its NVML_FI_ number and a scope, 0 where it has none."""
        answer = self.ask(_FIELD_VALUES, wanted)
        if answer is None:
            return [None] * len(wanted)
        return [self._field(each) for each in cast("Sequence[object]", answer)]

    def _ask(self, function: str, *arguments: object) -> tuple[object | None, int]:
        due = self._deaf.get(function)
        if due is not None and self._clock() < due:
            return None, _UNSUPPORTED
        answer, code = self.nvml.call(function, self.handle, *arguments)
        if code not in _OPEN and function != _FIELD_VALUES:
            self._heard = self._heard or code in _TOLD
        if code == _SUCCESS:
            if due is not None:
                del self._deaf[function]
            self.forbidden.discard(function)
        elif code in {_UNSUPPORTED, _FUNCTION_MISSING}:
            self._deaf[function] = self._clock() + _DEAF_S
        elif code == _FORBIDDEN:
            self.forbidden.add(function)
        else:
            self.lost = self.lost or _LOST.get(code)
        return answer, code

    def _field(self, field: object) -> float | None:
        code, kind = member(field, "nvmlReturn"), member(field, "valueType")
        if code in _LOST:
            self.lost = self.lost or _LOST[code]
        if code != _SUCCESS or kind is None or not 0 <= kind < len(_MEMBERS):
            return None
        value = cast("object", getattr(getattr(field, "value", None), _MEMBERS[kind], None))
        return float(value) if isinstance(value, int | float) else None


def member(structure: object, name: str) -> int | None:
    """A member of a structure that NVML filled; None when it is missing or not available."""
    value = cast("object", getattr(structure, name, None))
    return value if isinstance(value, int) else None


def _code(error: Exception) -> int:
    return member(error, "value") or _SUCCESS
