"""Which devices a process may use, by its environment and its command line.

Names: "nvidia1" is the GPU that NVML calls 1. "cuda1" is the second in CUDA's own order, fastest first, which is NVML's
where all cards are alike; "rocm1", "vulkan1" and "intel1" likewise, and "gpu1" where the maker is not said. "GPU-8f6c…"
is a card by the driver's own name, or by the beginning of it. The environment is read as CUDA reads it: up to the first
entry that is no device.

Sources: CUDA C++ programming guide, "CUDA environment variables"; ROCm documentation, "GPU isolation techniques";
`llama-server --help` (`--device`, `--split-mode`, `--main-gpu`); SGLang server arguments (`--base-gpu-id`).
"""

import re
from collections.abc import Mapping

import psutil

from .process import Process

_CUDA, _UUID, _ORDER = "CUDA_VISIBLE_DEVICES", "GPU-", "CUDA_DEVICE_ORDER"
_OTHERS = {
    "HIP_VISIBLE_DEVICES": "rocm",
    "ROCR_VISIBLE_DEVICES": "rocm",
    "GGML_VK_VISIBLE_DEVICES": "vulkan",
    "ZE_AFFINITY_MASK": "intel",
}
_NAMED = re.compile(r"(cuda|rocm|hip|vulkan|sycl|xpu|nvidia):?(\d{1,3})")
_ANY = {"gpu", "cuda"}
"""Orders that count within whatever the environment leaves: names of NVIDIA cards come in two spellings."""
_MOST = 64
_KIN = {"hip": "rocm", "sycl": "intel", "xpu": "intel"}

Visible = tuple[str, ...] | None
"""Names of devices; empty where the process is kept from all GPUs, None where nothing limits it."""


def visible_devices(process: Process) -> Visible:
    """The devices that are left to a process."""
    return by_command(process, by_environment(_environment(process.pid)))


def by_environment(environment: Mapping[str, str]) -> Visible:
    """What the environment leaves."""
    if _CUDA in environment:
        order = "nvidia" if environment.get(_ORDER) == "PCI_BUS_ID" else "cuda"
        return _listed(environment[_CUDA], order)
    for variable, order in _OTHERS.items():
        if variable in environment:
            return _listed(environment[variable], order)
    return None


def by_command(process: Process, left: Visible) -> Visible:
    """What the command line takes of what the environment leaves: it counts within that."""
    named = process.option("--device", "-dev")
    if named is not None and named.lower() in {"none", "cpu"}:
        return ()
    if named is not None:
        found = [_NAMED.fullmatch(each.strip().lower()) for each in named.split(",")]
        if all(found):
            return tuple(_one(left, _KIN.get(m[1], m[1]), int(m[2])) for m in found if m)
    main = process.number("--main-gpu", "-mg")
    if process.option("--split-mode", "-sm") == "none":
        return (_one(left, "gpu", main or 0),)
    first = process.number("--base-gpu-id")
    if first is not None:
        count = process.number("--tp-size", "--tp", "--tensor-parallel-size") or 1
        return tuple(_one(left, "gpu", index) for index in range(first, first + min(count, _MOST)))
    return left


def _one(left: Visible, order: str, index: int) -> str:
    """One of the devices that are left; a number of Vulkan's says nothing of what is left of CUDA's."""
    same = left is not None and index < len(left) and (order in _ANY or left[index].startswith(order))
    return left[index] if left is not None and same else f"{order}{index}"


def _listed(text: str, order: str) -> tuple[str, ...]:
    found: list[str] = []
    for entry in (part.strip() for part in text.split(",")):
        if entry.isascii() and entry.isdecimal():
            found.append(f"{order}{int(entry)}")
        elif entry.startswith((_UUID, "MIG-")):
            found.append(entry)
        else:
            break
    return tuple(found)


def _environment(pid: int) -> Mapping[str, str]:
    """Its environment; empty where this user may not read it."""
    try:
        return psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}
