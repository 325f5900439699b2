"""What the sensors of one NVIDIA GPU say: watts, joules and degrees.

nvmlDeviceGetPowerUsage is averaged over a second on Ampere (but for GA100) and later, and is the draw of the moment on
GA100 (compute capability 8.0) and before; NVML_FI_DEV_POWER_AVERAGE is there on the former only,
NVML_FI_DEV_POWER_INSTANT everywhere with a driver that knows it. The energy counter is there from Volta on and counts
millijoules since the driver was loaded (nvml.h of CUDA 13.4).
"""

from collections.abc import Callable

from msgspec import Struct

from .nvml import NvmlDevice

_ON_DIE = 0
"""NVML_TEMPERATURE_GPU."""
_FIELDS = ((185, 0), (186, 0), (82, 0), (83, 0))
"""NVML_FI_DEV_POWER_AVERAGE, _POWER_INSTANT, _MEMORY_TEMP, _TOTAL_ENERGY_CONSUMPTION; scope 0 is the GPU."""
_SHORTEST_S = 0.5
"""The counter moves in steps of many milliseconds, so that its mean over less is noise."""


class Sensors(Struct, frozen=True, kw_only=True):
    """One reading."""

    temperature_c: float | None = None
    memory_temperature_c: float | None = None
    power_w: float | None = None
    """Averaged: by the driver over a second, else by the energy counter since the previous reading."""
    power_instant_w: float | None = None
    energy_j: float | None = None


class NvidiaSensors:
    """Reads them."""

    def __init__(self, device: NvmlDevice, architecture: str | None, clock: Callable[[], float]) -> None:
        self._device = device
        self._clock = clock
        self._momentary = architecture is not None and (architecture == "8.0" or int(architecture.split(".")[0]) < 8)
        self._mean = _Mean()

    def read(self) -> Sensors:
        """One reading. A GPU that is on draws something and is warm: 0 is no answer."""
        device = self._device
        average_mw, instant_mw, memory_c, energy_mj = device.fields(_FIELDS)
        if energy_mj is None:
            energy_mj = device.number("nvmlDeviceGetTotalEnergyConsumption")
        energy_j = None if energy_mj is None else energy_mj / 1e3
        instant_w = _watts(instant_mw)
        power_w = _watts(average_mw)
        if power_w is None:
            power_w = _watts(device.number("nvmlDeviceGetPowerUsage"))
            if self._momentary:
                instant_w = instant_w or power_w
                power_w = self._mean.read(energy_j, self._clock()) or power_w
        return Sensors(
            temperature_c=self._temperature(),
            memory_temperature_c=memory_c or None,
            power_w=power_w,
            power_instant_w=instant_w,
            energy_j=energy_j,
        )

    def _temperature(self) -> float | None:
        """The older function first: every driver of today has it."""
        old = self._device.scaled(1.0, "nvmlDeviceGetTemperature", _ON_DIE)
        return old if old is not None else self._device.scaled(1.0, "nvmlDeviceGetTemperatureV", _ON_DIE)


class _Mean:
    """Watts between two readings of the energy counter."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None
        self._watts: float | None = None

    def read(self, energy_j: float | None, now: float) -> float | None:
        """None without a counter, at its first reading, and where it stood still or began anew."""
        if energy_j is None:
            self._before = self._watts = None
        elif self._before is None:
            self._before = now, energy_j
        elif now - self._before[0] >= _SHORTEST_S:
            spent_j, elapsed_s = energy_j - self._before[1], now - self._before[0]
            self._watts = spent_j / elapsed_s if spent_j > 0 else None
            self._before = now, energy_j
        return self._watts


def _watts(milliwatts: float | None) -> float | None:
    return milliwatts / 1e3 if milliwatts else None
