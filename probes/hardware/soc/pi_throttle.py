"""Why a Raspberry Pi holds its clocks down: the firmware tells, no right is needed.

Layout: `get_throttled` of the firmware's device, a hexadecimal number of bits
(drivers/firmware/raspberrypi.c in the Raspberry Pi kernel; the bits: Raspberry Pi documentation, `vcgencmd
get_throttled`). The bits from 16 on say what happened since the boot. Upstream kernels have the first one only, as an
alarm of the sensor "rpi_volt".
"""

from pathlib import Path

from ..entries import entries
from ..files import ROOT, read_number, read_text
from ..power.meter import sensor_chips

_REASONS = (
    (0x1, "supply voltage too low"),
    (0x4, "throttled by the firmware"),
    (0x8, "too hot (soft limit)"),
    (0x2, "clock capped by the firmware"),
)


class PiThrottle:
    """Finds the file once. On other machines it tells nothing."""

    def __init__(self, root: Path = ROOT) -> None:
        found = entries(root / "sys/devices/platform", "soc*/soc*firmware/get_throttled")
        self._bits = found[0] if found else None
        alarms = [chip / "in0_lcrit_alarm" for chip in sensor_chips(root, "rpi_volt")]
        self._alarm = alarms[0] if alarms else None

    def now(self) -> tuple[str, ...]:
        """What holds it down now, in words."""
        bits = self._read()
        return tuple(words for bit, words in _REASONS if bits & bit)

    def _read(self) -> int:
        text = read_text(self._bits) if self._bits else None
        if text:
            try:
                return int(text, 16)
            except ValueError:
                return 0
        return 1 if self._alarm and read_number(self._alarm) == 1 else 0
