"""Whether the hook works in this process. The first thing that goes wrong inside it switches it off."""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

VARIABLE = "LLMTOP_HOOK"
"""Set to 0, it switches the hook off."""
_NO = frozenset({"0", "off", "false", "no"})
_P = ParamSpec("_P")
_S = TypeVar("_S")


class Switch:
    """On until something fails."""

    __slots__ = ("_then", "on")

    def __init__(self) -> None:
        self.on = True
        self._then: list[Callable[[], object]] = []

    @property
    def wanted(self) -> bool:
        """Whether it is on, and nobody has said otherwise in the environment."""
        return self.on and os.environ.get(VARIABLE, "").strip().lower() not in _NO

    def then(self, action: Callable[[], object]) -> None:
        """What to do when it goes off."""
        self._then.append(action)

    def off(self, error: Exception) -> None:
        """Something failed: nothing is counted in this process any more. One line for those who debug, and no trace."""
        if not self.on:
            return
        self.on = False
        with suppress(Exception):
            from logging import getLogger  # noqa: PLC0415  # 8 ms, and hardly ever needed

            getLogger("llmtop.hook").debug("switched off: %s: %s", type(error).__name__, error)
        for action in self._then:
            with suppress(Exception):
                action()


SWITCH = Switch()


def harmless(method: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """The same, but what goes wrong in it switches the hook off and goes no further."""

    @wraps(method)
    def call(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        if SWITCH.on:
            try:
                method(self, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is not the user's
                SWITCH.off(error)

    return call
