"""Which backend an engine uses on some devices, and whether it runs there at all."""

import re
from collections.abc import Sequence

from ..probes.sample import Device
from .silicon import default_backend
from .software import Backend, Engine

OF_VENDORS: dict[Backend, frozenset[str]] = {
    "cuda": frozenset({"NVIDIA"}),
    "metal": frozenset({"Apple", "AMD"}),
    "rocm": frozenset({"AMD"}),
    "sycl": frozenset({"Intel"}),
}
"""Whose GPUs a backend is for. Vulkan is for all but Apple's. SYCL can be built for NVIDIA's too, which nobody does who
measures."""
WORDS: dict[Backend, str] = {
    "cuda": "NVIDIA GPUs",
    "metal": "Apple chips",
    "rocm": "AMD GPUs",
    "sycl": "Intel GPUs",
    "vulkan": "any GPU with Vulkan",
    "cpu": "CPUs",
}
"""What each is for, to a person."""
_OF_MACS = re.compile(r"Radeon Pro (?:\d|Vega|W\d+X)")
"""GPUs of Intel Macs, the only ones besides Apple's own that Metal is for."""


class NoBackend(ValueError):
    """An engine does not run on some device, or not with this backend; the text is one line."""


def backends(engine: Engine, device: Device) -> tuple[Backend, ...]:
    """Those with which an engine runs on a device, the usual one first; none where it does not run there."""
    found: list[Backend] = [backend for backend in engine.backends if _runs(engine, backend, device)]
    return tuple(found)


def common_backend(engine: Engine, devices: Sequence[Device], asked: Backend | None = None) -> Backend:
    """The one that all devices are used with: the usual one of the first that is for all of them.

    GPUs of several makers share Vulkan at most.

    Args:
        engine: what runs.
        devices: where; GPUs and CPUs do not go together.
        asked: the one that a person asks for.

    Raises:
        NoBackend: there is none, or it is not the one that was asked for.
    """
    each = [(device, backends(engine, device)) for device in devices]
    if asked is not None and asked not in engine.backends:
        raise NoBackend(f"{engine.name} has no backend {asked}: {_where(engine)}")
    for device, found in each:
        if not found:
            raise NoBackend(f"{engine.name} does not run on {device.name}: {_where(engine)}")
        if asked is not None and asked not in found:
            raise NoBackend(f"the backend {asked} does not run on {device.name}: try {', '.join(found)}")
    if asked is not None:
        return asked
    shared: list[Backend] = [backend for backend in each[0][1] if all(backend in found for _, found in each)]
    if shared:
        return shared[0]
    (first, ours), (other, theirs) = each[0], next(pair for pair in each if each[0][1][0] not in pair[1])
    raise NoBackend(
        f"{engine.name} has no backend for {first.name} and {other.name} together: "
        f"{ours[0]} is for the one, {theirs[0]} for the other"
    )


def evident_backend(engine: Engine, device: Device) -> Backend:
    """The usual one of an engine that is seen to run on a device, even where nobody would expect it there."""
    found = backends(engine, device)
    return found[0] if found else default_backend(device)


def _runs(engine: Engine, backend: Backend, device: Device) -> bool:
    if backend == "cpu" or device.kind == "cpu":
        return backend == device.kind
    if (device.architecture or "").startswith("Gaudi"):
        return False
    if backend == "vulkan":
        return device.kind != "apple"
    if device.vendor not in OF_VENDORS[backend]:
        return False
    if backend == "metal" and device.vendor == "AMD":
        return bool(_OF_MACS.match(device.name)) and engine.kin != "mlx"
    return backend != "cuda" or _capability(device) >= engine.capability


def _capability(device: Device) -> float:
    """The compute capability; one that is not known is enough for everything."""
    try:
        return float(device.architecture or "inf")
    except ValueError:
        return float("inf")


def _where(engine: Engine) -> str:
    least = f" from compute capability {engine.capability:.1f}" if engine.capability else ""
    words = [f"{WORDS[backend]}{least if backend == 'cuda' else ''} ({backend})" for backend in engine.backends]
    return f"it runs on {', '.join(words)}"
