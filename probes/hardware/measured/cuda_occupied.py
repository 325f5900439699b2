"""Who would be slowed by a measurement on an NVIDIA GPU."""

from collections.abc import Sequence

import psutil

from ...sample import Device
from ..nvidia.nvml import Nvml, NvmlDevice, member

_BUSY = 0.1
"""Share of time busy from which a GPU works for somebody; drawing a desktop takes less."""
_TAKEN = 0.5
"""Share of memory in use from which somebody unseen has it, as from within a container."""
_NAMED = 2


def computing(uuid: str) -> list[int]:
    """The processes that have a context for computing on it; empty also where the driver does not say. May block."""
    nvml = Nvml()
    nvml.start()
    handle, _ = nvml.call("nvmlDeviceGetHandleByUUID", uuid)
    if handle is None:
        return []
    found = NvmlDevice(nvml, handle).listed("nvmlDeviceGetComputeRunningProcesses_v3")
    return [pid for each in found or () if (pid := member(each, "pid")) is not None]


def occupied(device: Device) -> str | None:
    """Why its reading says that it should be left alone, in words; None when it does not."""
    if (device.utilization or 0.0) > _BUSY:
        return f"{device.utilization:.0%} busy"
    total, used = device.memory_total_bytes, device.memory_used_bytes
    if total and used and used > _TAKEN * total:
        return f"{used / (1 << 30):.0f} of {total / (1 << 30):.0f} GiB of its memory are taken"
    return None


def users(pids: Sequence[int]) -> str:
    """Who computes on it, in words.

    An engine that holds a model counts also while it rests: its next request may come at any moment.
    """
    more = f" and {len(pids) - _NAMED} more" if len(pids) > _NAMED else ""
    return f"in use by {', '.join(_name(pid) for pid in pids[:_NAMED])}{more}"


def _name(pid: int) -> str:
    try:
        name = "".join(sign if sign.isprintable() else "?" for sign in psutil.Process(pid).name())
    except psutil.Error:
        return f"pid {pid}"
    return f"{name} (pid {pid})"
