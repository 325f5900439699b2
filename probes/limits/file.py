"""A power limit in microwatts that is a file of the kernel.

- amdgpu: `power1_cap` of its hwmon, in whole watts (drivers/gpu/drm/amd/pm/amdgpu_pm.c). 0 would be the default
  (pp_set_power_limit in powerplay/amd_powerplay.c), and is never written.
- Intel GPUs: `power1_max` (Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon and …-xe-hwmon); 0 is "off".
- CPUs: `constraint_N_power_limit_uw` (Documentation/power/powercap/powercap.rst). What the firmware has locked is
  refused with EACCES (rapl_write_pl_data in drivers/powercap/intel_rapl_common.c) where the kernel sees the lock; else
  the write succeeds and nothing changes.
- Grace: `power1_cap` of its ACPI power meter (Documentation/hwmon/acpi_power_meter.rst).
"""

import errno
import os
import re
from pathlib import Path

from .contract import Forbidden, LimitError, Vanished
from .journal import ROUNDED_W, SAME_W
from .named import Named

_NAMES = re.compile(r"power\d+_(cap|max)|constraint_\d+_power_limit_uw")
_NUMBERED = re.compile(r"/hwmon/hwmon\d+/")
_GONE = {errno.ENODEV, errno.ENOENT, errno.ENXIO}
_KEPT = {errno.EACCES, errno.EPERM}
_RAPL = "constraint_"


class FileLimit(Named):
    """Finds its file again each time, by the device that it belongs to: numbers of hwmon change over restarts."""

    KIND = "file"
    _met_w: float | None = None
    """What it was at first: that may be put back whatever the range is."""

    def read(self) -> float:
        """The limit as the file says it."""
        path = self._path()
        try:
            text = path.read_text("ascii", "replace").strip()
        except OSError as error:
            raise self._unreadable(path, error) from None
        if not text.isdecimal() or len(text) > 18:
            raise LimitError(f"{self.name}: {path} says {text[:40]!r}, which is no power limit")
        if text == "0":
            raise LimitError(f"{self.name}: its power limit is switched off, so there is none to change")
        watts = int(text) / 1e6
        if self._met_w is None:
            self._met_w = watts
        return watts

    def write(self, watts: float) -> float:
        """Sets it, and looks what became of it."""
        before_w = self.read()
        if watts != self._met_w:
            self._check(watts)
        self._put(self._path(), watts)
        now_w = self.read()
        if abs(now_w - watts) <= ROUNDED_W:
            return now_w
        if abs(now_w - before_w) > SAME_W:
            raise LimitError(f"{self.name}: its power limit was to be {watts:g} W and became {now_w:g} W")
        why = "the firmware has locked it (see its setup)" if self._rapl else "the driver took it without an error"
        raise LimitError(f"{self.name}: its power limit was to be {watts:g} W and stayed at {now_w:g} W; {why}")

    def command(self, watts: float) -> str:
        """With the path of this moment; where the device is gone, with that of any."""
        try:
            path = str(self._path())
        except LimitError:
            path = self.address.at
        return f"echo {_microwatts(watts)} | sudo tee {path}"

    @property
    def _rapl(self) -> bool:
        return Path(self.address.at).name.startswith(_RAPL)

    def _path(self) -> Path:
        """The file now."""
        at = Path(self.address.at)
        if not at.is_absolute() or not _NAMES.fullmatch(at.name):
            raise LimitError(f"{self.name}: {at} is no power limit")
        if at.parent.name != "hwmon*":
            return at
        try:
            found = [
                folder / at.name for folder in sorted(at.parent.parent.glob("hwmon*")) if (folder / at.name).exists()
            ]
        except OSError:
            found = []
        if not found:
            raise Vanished(f"{self.name}: {at} is gone, and the device with it")
        if len(found) > 1:
            raise LimitError(f"{self.name}: {found[0]} and {found[1]} may both be its power limit")
        return found[0]

    def _check(self, watts: float) -> None:
        low = self.min_w is not None and watts < self.min_w - SAME_W
        high = self.max_w is not None and watts > self.max_w + SAME_W
        if low or high:
            raise LimitError(f"{self.name}: {watts:g} W is outside of what its vendor allows{self._range()}")
        if watts < 1:
            raise LimitError(f"{self.name}: {watts:g} W is no power limit")

    def _range(self) -> str:
        if self.min_w is not None and self.max_w is not None:
            return f", {self.min_w:g} to {self.max_w:g} W"
        return f", {self.max_w:g} W at most" if self.max_w is not None else ""

    def _put(self, path: Path, watts: float) -> None:
        try:
            file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in {*_KEPT, errno.EROFS}:
                raise Forbidden(
                    f"{self.name}: this user may not set its power limit; {self.command(watts)} sets it"
                ) from None
            raise self._unreadable(path, error) from None
        try:
            os.write(file, b"%d\n" % _microwatts(watts))
        except OSError as error:
            raise self._refused(path, watts, error) from None
        finally:
            os.close(file)

    def _refused(self, path: Path, watts: float, error: OSError) -> LimitError:
        if error.errno in _KEPT and self._rapl:
            return LimitError(f"{self.name}: the firmware has locked its power limit (see its setup)")
        if error.errno in _KEPT:
            return Forbidden(f"{self.name}: the driver does not let its power limit be set now ({error.strerror})")
        if error.errno == errno.EINVAL:
            return LimitError(f"{self.name}: the driver does not take {watts:g} W{self._range()}")
        return self._unreadable(path, error)

    def _unreadable(self, path: Path, error: OSError) -> LimitError:
        if error.errno in _GONE:
            return Vanished(f"{self.name}: {path} is gone, and the device with it")
        if error.errno in _KEPT:
            return Forbidden(f"{self.name}: {path} may not be read; sudo chmod a+r {path} allows it")
        return LimitError(f"{self.name}: {path} cannot be used: {error.strerror}")


def lasting(path: Path) -> str:
    """The file by the path of its device, where the number that hwmon counts stands open."""
    return _NUMBERED.sub("/hwmon/hwmon*/", str(path.resolve()))


def _microwatts(watts: float) -> int:
    return round(watts * 1e6)
