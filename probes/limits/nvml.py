"""The power limit of an NVIDIA GPU, through the library that the driver brings.

`nvmlDeviceSetPowerManagementLimit` is asked, never its `_v2`: the binding calls that one a success whatever the driver
answers. A limit lasts until the driver is unloaded (nvml.h); without persistence mode that is when nobody uses it.
"""

from functools import cache
from typing import TYPE_CHECKING, cast

from .contract import Forbidden, LimitError, Vanished
from .journal import ROUNDED_W, SAME_W
from .named import Named

if TYPE_CHECKING:
    from ..hardware.nvidia.nvml import Nvml

_SUCCESS = 0
_INVALID = 2
_UNSUPPORTED = 3
_FORBIDDEN = 4
_FUNCTION_MISSING = 13
_GET = "nvmlDeviceGetPowerManagementLimit"
_GONE = {
    6: "the driver knows no such GPU any more",
    9: "the driver is not loaded; load it (sudo modprobe nvidia) or reboot",
    12: "the driver's library is gone; reboot",
    15: "it fell off the bus; reboot or reset it",
    16: "it needs a reset: nvidia-smi --gpu-reset, or reboot",
    18: "the driver was updated; reboot, or reload it",
}


class NvmlLimit(Named):
    """Asks the driver when first needed. It is found by the UUID of its GPU."""

    KIND = "nvml"
    _handle: object | None = None
    _index: int | None = None

    def read(self) -> float:
        """The limit that is set."""
        answer = self._ask(_GET)
        if not isinstance(answer, int):
            raise Vanished(f"{self.name}: the driver does not tell its power limit")
        return answer / 1e3

    def write(self, watts: float) -> float:
        """Sets it to the milliwatt, and looks what became of it."""
        self._look_up_range()
        least, most = self.min_w, self.max_w
        if (least is not None and watts < least - SAME_W) or (most is not None and watts > most + SAME_W):
            raise LimitError(f"{self.name}: {watts:g} W is outside of what its vendor allows, {self._range()}")
        before_w = self.read()
        wanted = watts if least is None or most is None else min(max(watts, least), most)
        self._ask("nvmlDeviceSetPowerManagementLimit", round(wanted * 1e3), watts=watts)
        now_w = self.read()
        if abs(now_w - watts) <= ROUNDED_W:
            return now_w
        stayed = abs(now_w - before_w) <= SAME_W
        what = f"stayed at {now_w:g} W, though the driver reported no error" if stayed else f"became {now_w:g} W"
        raise LimitError(f"{self.name}: its power limit was to be {watts:g} W and {what}")

    def command(self, watts: float) -> str:
        """By its number where that is known."""
        index = self.device.removeprefix("nvidia")
        which = str(self._index) if self._index is not None else index if index.isdecimal() else self.address.at
        return f"sudo nvidia-smi -i {which} -pl {watts:g}"

    def _look_up_range(self) -> None:
        """The range is the vendor's, as the driver tells it now."""
        answer, code = self._call("nvmlDeviceGetPowerManagementLimitConstraints")
        if isinstance(answer, list):
            lowest, highest = cast("list[int]", answer)
            self.allow(lowest / 1e3, highest / 1e3)
        elif code not in {_UNSUPPORTED, _FUNCTION_MISSING}:
            raise self._error(code, None)

    def _range(self) -> str:
        return f"{self.min_w:g} to {self.max_w:g} W"

    def _ask(self, function: str, *arguments: object, watts: float | None = None) -> object | None:
        answer, code = self._call(function, *arguments)
        if code != _SUCCESS:
            raise self._error(code, watts)
        return answer

    def _call(self, function: str, *arguments: object) -> tuple[object | None, int]:
        if self._handle is None:
            nvml = self._started()
            self._handle, code = nvml.call("nvmlDeviceGetHandleByUUID", self.address.at)
            if self._handle is None:
                raise self._error(code, None)
            index, _ = nvml.call("nvmlDeviceGetIndex", self._handle)
            self._index = index if isinstance(index, int) else None
        answer, code = _library().call(function, self._handle, *arguments)
        if code in _GONE:
            self._handle = None
        return answer, code

    def _started(self) -> "Nvml":
        """Each start counts, so the driver stays as long as this process does."""
        nvml = _library()
        count, problem = nvml.start()
        if problem or not count:
            raise Vanished(f"{self.name}: {problem or 'there is no NVIDIA GPU any more'}")
        return nvml

    def _error(self, code: int, watts: float | None) -> LimitError:
        if code == _FORBIDDEN:
            by = f"; {self.command(watts)} sets it" if watts is not None else ""
            return Forbidden(f"{self.name}: only root may set its power limit{by}")
        if code in {_UNSUPPORTED, _FUNCTION_MISSING}:
            return LimitError(f"{self.name}: the driver has no power limit for it that can be set")
        if code == _INVALID and watts is not None:
            return LimitError(f"{self.name}: the driver does not take {watts:g} W; it says {self._range()}")
        why = _GONE.get(code, f"the driver does not answer (NVML error {code}); nvidia-smi may say more")
        return Vanished(f"{self.name}: {why}")


@cache
def _library() -> "Nvml":
    from ..hardware.nvidia.nvml import Nvml  # noqa: PLC0415 - only who has such a GPU pays for it

    return Nvml()
