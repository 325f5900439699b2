"""The CPU's name where the kernel does not print it: asked of py-cpuinfo, which takes seconds, in the background."""

import threading
from importlib import import_module


class SlowCpuName:
    """Asks once, when first wanted, without ever keeping the caller waiting."""

    def __init__(self) -> None:
        self._value: str | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def value(self) -> str | None:
        """The name, or None while it is not known."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._ask, name="cpu-name", daemon=True)
                self._thread.start()
        return self._value

    def _ask(self) -> None:
        answer = import_module("cpuinfo").get_cpu_info().get("brand_raw")
        if isinstance(answer, str) and answer:
            self._value = answer


slow_cpu_name = SlowCpuName()
"""The one that all probes share: the question is asked once per process."""
