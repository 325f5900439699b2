"""What AMD's own library tells of a GPU of which KFD tells nothing.

The library reads the files that are read here anyway, and asks the driver besides for the name and the memory. It
opens every card, which wakes those that sleep, so it is asked only then, once, and closed again. It is loaded where
the package `amdsmi` and the library that it stands for (a part of ROCm) are both installed: without the latter the
package prints to the screen.
"""

import ctypes
import os
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from ...sample import Bandwidth, Device

_TYPES: tuple[tuple[range, Literal["HBM", "GDDR", "DDR"]], ...] = (
    (range(1, 10), "HBM"),
    (range(10, 17), "DDR"),
    (range(17, 24), "GDDR"),
)
"""By AMDSMI_VRAM_TYPE_*."""
_SHADERS = 64
_ONE_AT_A_TIME = Lock()

Answer = dict[str, object]


class SmiFacts(Struct, frozen=True, kw_only=True):
    """What it tells of one GPU."""

    name: str | None
    target: str | None
    units: int | None
    memory_type: Literal["HBM", "GDDR", "DDR"] | None
    bandwidth_gbs: Bandwidth


def smi_facts(address: str | None) -> SmiFacts | None:
    """Of the GPU at a PCI address; None where the library is not installed, or does not know it."""
    if address is None or not _installed():
        return None
    with _ONE_AT_A_TIME:
        try:
            smi = import_module("amdsmi")
            asked = cast("Callable[..., object]", smi.amdsmi_init)
            asked()
            try:
                for handle in cast("list[object]", smi.amdsmi_get_processor_handles()):
                    if str(smi.amdsmi_get_gpu_device_bdf(handle)).lower() == address:
                        chip = cast("Answer", smi.amdsmi_get_gpu_asic_info(handle))
                        return _facts(chip, cast("Answer", smi.amdsmi_get_gpu_vram_info(handle)))
            finally:
                smi.amdsmi_shut_down()
        except Exception:  # noqa: BLE001  # its own error has a name only once it is loaded, and loading raises others
            return None
    return None


def with_library(device: Device, told: SmiFacts | None) -> Device:
    """A device with what the library tells where nothing else did."""
    if told is None:
        return device
    named = told.name if told.name and device.name.startswith("AMD GPU") else device.name
    return replace(
        device,
        name=named,
        architecture=device.architecture or told.target,
        cores=device.cores or (told.units * _SHADERS if told.units else None),
    )


def _facts(chip: Answer, memory: Answer) -> SmiFacts:
    name, target = chip.get("market_name"), chip.get("target_graphics_version")
    kind, peak = _number(memory.get("vram_type")), _number(memory.get("vram_max_bandwidth"))
    return SmiFacts(
        name=name if isinstance(name, str) and name.startswith("AMD") else None,
        target=target if isinstance(target, str) and len(target) > len("gfx0") else None,
        units=_number(chip.get("num_compute_units")),
        memory_type=next((words for places, words in _TYPES if kind in places), None),
        bandwidth_gbs=Bandwidth(peak=peak, basis="driver (amdsmi)") if peak else Bandwidth(),
    )


def _number(value: object) -> int | None:
    """Unknown is "N/A"."""
    return int(value) if isinstance(value, int) and value > 0 else None


def _installed() -> bool:
    home = os.environ.get("ROCM_HOME") or os.environ.get("ROCM_PATH") or "/opt/rocm"
    for place in (f"{home}/lib/libamd_smi.so", "libamd_smi.so"):
        try:
            ctypes.CDLL(place)
        except OSError:
            continue
        return True
    return False
