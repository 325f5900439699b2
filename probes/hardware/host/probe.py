"""The machine itself: its name, its system, its memory and what it draws."""

import platform
from collections.abc import Callable
from pathlib import Path

import psutil

from ...sample import Host
from ..cpu.facts import CpuFacts, cpu_facts
from ..cpu.name import SlowCpuName, slow_cpu_name
from ..files import ROOT
from ..power.energy_counter import steady_time
from ..power.machine import MachinePower
from .main_memory import MainMemory
from .surroundings import container, virtualization


class HostProbe:
    """Reads the machine; a reading costs some tens of microseconds."""

    name = "host"

    def __init__(
        self,
        *,
        period: float = 1.0,
        root: Path = ROOT,
        clock: Callable[[], float] = steady_time,
        slow_name: SlowCpuName = slow_cpu_name,
    ) -> None:
        self.period = period
        self._root = root
        self._power = MachinePower(root, clock)
        self._memory = MainMemory(root)
        self._slow_name = slow_name
        self._facts: CpuFacts | None = None
        self._node = platform.node() or "localhost"
        self._os = system_words()
        self._cores: int | None = None
        self._virtualization: str | None = None
        self._container: str | None = None

    @classmethod
    def detect(cls) -> "list[HostProbe]":
        """There is always one."""
        return [cls()]

    def read(self) -> Host:
        """One reading."""
        if self._facts is None:
            self._facts = cpu_facts(self._root)
            self._virtualization, self._container = virtualization(self._root), container(self._root)
            self._cores = psutil.cpu_count(logical=False) or psutil.cpu_count()
        memory = self._memory.read()
        draw = self._power.read()
        return Host(
            name=self._node,
            os=self._os,
            cpu=self._facts.name or self._slow_name.value,
            cores=self._cores,
            memory_total_bytes=memory.total_bytes,
            memory_used_bytes=memory.used_bytes,
            virtualization=self._virtualization,
            container=self._container,
            power_w=draw.power_w,
            power_source=draw.source,
            energy_j=draw.energy_j,
        )


def system_words() -> str:
    """The operating system as people name it: "Debian GNU/Linux 12 (bookworm), Linux 6.1.0", "macOS 15.1"."""
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    kernel = f"{platform.system()} {platform.release()}"
    try:
        distribution = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return kernel
    return f"{distribution}, {kernel}"
