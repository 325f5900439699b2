"""What the driver keeps from this user, or does not know of a GPU, in words."""

from collections.abc import Set as AbstractSet

from ...sample import Device

_WHAT = (
    ("power", "power_w", {"nvmlDeviceGetPowerUsage"}),
    ("energy", "energy_j", {"nvmlDeviceGetTotalEnergyConsumption"}),
    ("power limit", "power_limit_w", {"nvmlDeviceGetPowerManagementLimit", "nvmlDeviceGetEnforcedPowerLimit"}),
    ("range of the power limit", "power_limit_max_w", {"nvmlDeviceGetPowerManagementLimitConstraints"}),
    ("utilization", "utilization", {"nvmlDeviceGetUtilizationRates"}),
    ("memory in use", "memory_used_bytes", {"nvmlDeviceGetMemoryInfo"}),
    ("temperature", "temperature_c", {"nvmlDeviceGetTemperature", "nvmlDeviceGetTemperatureV"}),
    ("clocks", "sm_clock_mhz", {"nvmlDeviceGetClockInfo"}),
    ("bandwidth in use", "bandwidth_utilization", {"nvmlGpmQueryDeviceSupport", "nvmlGpmSampleGet"}),
    ("processes", "processes", {"nvmlDeviceGetComputeRunningProcesses_v3"}),
)
"""In words, the field of `Device` that lacks it, and the functions that would tell."""


def unread(device: Device, forbidden: AbstractSet[str], *, administrator: bool | None = None) -> tuple[str, ...]:
    """Sentences for `Device.unread`: what this user may not read, and what people would miss.

    `administrator`: the driver takes this process for root's, so that sudo brings no more.
    """
    kept = [words for words, field, functions in _WHAT if functions & forbidden and getattr(device, field) is None]
    said: list[str] = []
    if kept:
        allowed = "keeps it from this process" if administrator else "tells it to root only; sudo llmtop shows it"
        said.append(f"{', '.join(kept)}: the driver {allowed}")
    if device.power_w is None and "power" not in kept and not any(each.startswith("power") for each in device.unread):
        said.append("power: the driver does not measure it on this GPU")
    if device.processes is None and "processes" not in kept:
        said.append("processes: the driver does not tell who uses this GPU")
    return tuple(said)
