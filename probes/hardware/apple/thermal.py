"""How hard macOS holds a chip down for its heat, which it tells everybody: no root, no process.

The level is the state of the notification "com.apple.system.thermalpressurelevel" (the name stands in
OSThermalNotification.h of macOS): 0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping. Under moderate pressure fans
turn faster; from heavy on the clocks fall. notify(3) is part of libSystem.
"""

import ctypes
from collections.abc import Callable

_NAME = b"com.apple.system.thermalpressurelevel"
_WORDS = {2: "heavy", 3: "trapping", 4: "sleeping"}


def load_system() -> ctypes.CDLL:
    """What every process of macOS has loaded already."""
    return ctypes.CDLL("/usr/lib/libSystem.B.dylib")


class ThermalPressure:
    """Asks for the level; a system that does not tell it is asked for nothing."""

    def __init__(self, load: Callable[[], ctypes.CDLL] = load_system) -> None:
        self._get_state: Callable[[int, object], int] | None = None
        self._token = ctypes.c_int()
        try:
            library = load()
            register, get_state = library.notify_register_check, library.notify_get_state
        except (OSError, AttributeError):
            return
        register.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]
        get_state.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_uint64)]
        if register(_NAME, ctypes.byref(self._token)) == 0:
            self._get_state = get_state

    def read(self) -> tuple[str, ...]:
        """As `Device.throttle_reasons` has it."""
        level = ctypes.c_uint64()
        if self._get_state is None or self._get_state(self._token.value, ctypes.byref(level)) != 0:
            return ()
        words = _WORDS.get(level.value)
        return (f"too hot (thermal pressure: {words})",) if words else ()
