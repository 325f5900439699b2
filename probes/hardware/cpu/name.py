"""What the kernel does not print: asked of py-cpuinfo, which takes seconds, in the background."""

import threading
from importlib import import_module
from typing import cast


class SlowCpuName:
    """Asks once, when first wanted, without ever keeping the caller waiting."""

    def __init__(self) -> None:
        self._value: str | None = None
        self._flags: frozenset[str] = frozenset()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def value(self) -> str | None:
        """The CPU's name, or None while it is not known."""
        self._begin()
        return self._value

    @property
    def flags(self) -> frozenset[str]:
        """The names of its instructions, or none while they are not known."""
        self._begin()
        return self._flags

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._ask, name="cpu-name", daemon=True)
                self._thread.start()

    def _ask(self) -> None:
        told: dict[str, object] = import_module("cpuinfo").get_cpu_info()
        name, flags = told.get("brand_raw"), told.get("flags")
        if isinstance(flags, list):
            self._flags = frozenset(str(flag) for flag in cast("list[object]", flags))
        if isinstance(name, str) and name:
            self._value = name


slow_cpu_name = SlowCpuName()
"""The one that all probes share: the question is asked once per process."""
