"""A Jetson module: what it is, and what its files tell of the whole of it.

`proc/device-tree/compatible` holds words with a zero byte behind each: "nvidia,p3768-0000+p3767-0005" is a carrier and
a module, "nvidia,tegra234" the chip.
Part numbers and memory of the modules: NVIDIA Jetson Linux Developer Guide, "Quick Start", and the module data sheets.
Compute capabilities: NVIDIA's CUDA GPU table. Over-current events: the guide's "Over-current Throttling".
"""

import re
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ...sample import Bandwidth, Device
from ..entries import entries
from ..files import ROOT, read_measure, read_number, read_text
from ..host.main_memory import MainMemory
from ..power.meter import sensor_chips
from ..soc.devfreq import MOST_MHZ, gpu_temperature, hottest, zones
from .mode import JetsonMode, Mode
from .rails import JetsonRails

_CAPABILITIES = {"tegra210": "5.3", "tegra186": "6.2", "tegra194": "7.2", "tegra234": "8.7", "tegra264": "11.0"}


class _Module(Struct, frozen=True):
    """One product."""

    parts: tuple[str, ...]
    """How the part numbers begin."""
    name: str
    bus_bits: int


_MODULES = (
    _Module(("p3767-0004",), "Jetson Orin Nano", 64),
    _Module(("p3767-0003", "p3767-0005"), "Jetson Orin Nano", 128),
    _Module(("p3767",), "Jetson Orin NX", 128),
    _Module(("p3701",), "Jetson AGX Orin", 256),
    _Module(("p3834",), "Jetson AGX Thor", 256),
    _Module(("p3668",), "Jetson Xavier NX", 128),
    _Module(("p2888",), "Jetson AGX Xavier", 256),
    _Module(("p3448",), "Jetson Nano", 64),
    _Module(("p3636",), "Jetson TX2 NX", 128),
    _Module(("p3310", "p3489"), "Jetson TX2", 128),
)
_PART = re.compile(r"p\d{4}-\d{4}|p\d{4}")
_TRADE = re.compile(r"\b(NVIDIA|Engineering|Reference|Developer Kit|Module|Super)\b")
_SIZES_GB = (2, 4, 8, 16, 32, 64, 128)
_CLOCKS = ("kernel/debug/bpmp/debug/clk/emc/rate", "kernel/debug/clk/emc/clk_rate")
"""Of the memory, in Hz, for root: since JetPack 4 but on Nano, and on Nano."""


class JetsonBoard:
    """Reads what belongs to no part of the module alone."""

    def __init__(self, root: Path = ROOT) -> None:
        words = _words(root)
        self._root = root
        self._memory = MainMemory(root)
        self._mode = JetsonMode(root)
        self._rails = JetsonRails(root)
        self._gpu = gpu_temperature(root)
        self._junction = zones(root, "tj")
        self._events = tuple(
            file for chip in sensor_chips(root, "soctherm_oc") for file in entries(chip, "oc*_event_cnt")
        )
        self._counts: tuple[int | None, ...] = ()
        module = _module(words)
        self._bus_bits = module.bus_bits if module else None
        self.architecture = next((found for word in words if (found := _CAPABILITIES.get(word[7:]))), None)
        self.name = _name(root, module, words, self._memory.read().machine_bytes)
        release = re.search(r"R(\d+).*?REVISION: ([\d.]+)", read_text(root / "etc/nv_tegra_release") or "")
        self.software = f"L4T {release[1]}.{release[2]}" if release else None
        """The version of NVIDIA's Linux for the module."""

    @classmethod
    def find(cls, root: Path = ROOT) -> "JetsonBoard | None":
        """None where this machine is none."""
        return cls(root) if is_jetson(root) else None

    def complete(self, device: Device) -> Device:
        """The GPU of the module with what the board tells of it, where its driver told nothing.

        The power is that of the module, as the mode limits it: the memory that feeds the GPU has no meter of its own.
        """
        mode = self._mode.read()
        limit = self._mode.limit(mode) if mode else None
        memory = self._memory.read()
        power_w = self._rails.power_w() if device.power_w is None else None
        told = {
            "architecture": self.architecture,
            "memory_total_bytes": memory.total_bytes,
            "memory_type": "LPDDR",
            "unified_memory": True,
            "temperature_c": hottest(self._gpu),
            "hotspot_c": hottest(self._junction),
            "sm_clock_mhz": self._thor_clock_mhz(),
            "memory_clock_mhz": self._memory_clock_mhz(),
            "power_w": power_w,
            "power_limit_w": limit and limit.value_w,
            "power_limit_min_w": limit and limit.min_w,
            "power_limit_max_w": limit and limit.max_w,
            "power_limit_default_w": limit and limit.default_w,
        }
        fields = {name: value for name, value in told.items() if value is not None and getattr(device, name) is None}
        return replace(
            device,
            **fields,
            bandwidth_gbs=self._bandwidth(mode) if device.bandwidth_gbs == Bandwidth() else device.bandwidth_gbs,
            limits=device.limits or ((limit,) if limit else ()),
            throttle_reasons=(*device.throttle_reasons, *self._over_current()),
            unread=(*device.unread, *self._unread(device)),
            remarks=(*device.remarks, *self._remarks(mode, metered=power_w is not None)),
        )

    def _bandwidth(self, mode: Mode | None) -> Bandwidth:
        """Of a mode that holds the memory down; else the catalogue knows it."""
        if mode is None or mode.memory_cap_mhz is None or self._bus_bits is None:
            return Bandwidth()
        return Bandwidth(
            peak=mode.memory_cap_mhz * 2 * self._bus_bits / 8 / 1000,
            basis=f"memory clock {mode.memory_cap_mhz:.0f} MHz of power mode {mode.words} x 2 x {self._bus_bits} bit",
        )

    def _thor_clock_mhz(self) -> float | None:
        return read_measure(self._root / "sys/class/devfreq/gpu-gpc-0/cur_freq", 1e6, MOST_MHZ) or None

    def _memory_clock_mhz(self) -> float | None:
        read = (read_measure(self._root / "sys" / name, 1e6, MOST_MHZ) for name in _CLOCKS)
        return next(filter(None, read), None)

    def _over_current(self) -> tuple[str, ...]:
        """When a count of events grew since the previous reading."""
        before, self._counts = self._counts, tuple(read_number(file) for file in self._events)
        if len(before) != len(self._counts):
            return ()
        grew = any(
            now is not None and was is not None and now > was for was, now in zip(before, self._counts, strict=True)
        )
        return ("over-current",) if grew else ()

    def _unread(self, device: Device) -> tuple[str, ...]:
        if self._rails.names or device.power_w is not None:
            return ()
        return ("power: no meter of the module is found (INA3221)",)

    def _remarks(self, mode: Mode | None, *, metered: bool) -> tuple[str, ...]:
        said: list[str] = []
        if metered:
            said.append(f"its power is that of the whole module ({' + '.join(self._rails.names)})")
        wider = self._mode.wider(mode) if mode else None
        if mode and mode.memory_cap_mhz and wider:
            cap = f"{wider.memory_cap_mhz:.0f} MHz" if wider.memory_cap_mhz else "no cap"
            said.append(
                f"power mode {mode.words} holds the memory at {mode.memory_cap_mhz:.0f} MHz, and decoding with it; "
                f"{wider.words} has {cap}: sudo nvpmodel -m {wider.number}"
            )
        return tuple(said)


def is_jetson(root: Path = ROOT) -> bool:
    """Whether the chip is a Tegra."""
    return any(word.startswith("nvidia,tegra") for word in _words(root))


def _words(root: Path) -> list[str]:
    text = read_text(root / "proc/device-tree/compatible") or ""
    return [word for word in text.split("\0") if word]


def _module(words: list[str]) -> _Module | None:
    """Carriers have part numbers as well, so each is looked up."""
    parts = [part for word in words for part in _PART.findall(word)]
    return next((each for each in _MODULES if any(part.startswith(each.parts) for part in parts)), None)


def _name(root: Path, module: _Module | None, words: list[str], memory_bytes: int) -> str:
    """With the memory behind it, as it is sold: the kernel and the firmware keep a part."""
    model = (read_text(root / "proc/device-tree/model") or "").strip("\0")
    name = module.name if module else " ".join(_TRADE.sub(" ", model.replace("-", " ")).split()) or "Jetson"
    if "Orin" in name and ("Super" in model or any(word.endswith("super") for word in words)):
        name += " Super"
    size = next((size for size in _SIZES_GB if size << 30 >= memory_bytes), None)
    return f"{name} {size}GB" if size else name
