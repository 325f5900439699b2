"""llama.cpp's log, also as Ollama passes it on: the rate of each slot every 3 s, and of each request at its end.

Format: `tools/server/server-context.cpp`, `print_timing` and what is beside it. A line of a slot begins with its
number; older builds leave it out in the lines that follow within one message.
"""

import re
from typing import ClassVar

from .report import Facts

_N = r"([\d.]+)"
_SLOT = re.compile(r"slot [^:|]{1,60}: id +(\d+) \|")
_LIVE = re.compile(rf"n_gen = *\d+, tg = *{_N} t/s, tg_3s = *{_N} t/s")
_PREFILL = re.compile(rf"prompt processing, n_tokens = .*?/ *{_N} tokens per second")
_ENDED = re.compile(rf"(prompt )?eval time = .*?, *{_N} tokens per second\)")
_FRESH_S = 4.5
"""Seconds that a rate holds: it is printed every 3."""


class LlamaCppLog:
    """The rates of all slots."""

    engine: ClassVar[str] = "llama.cpp"
    source: ClassVar[str] = "log tg_3s"

    def __init__(self) -> None:
        self._slot = "0"
        self._decode: dict[str, tuple[float, float]] = {}
        self._prefill: dict[str, tuple[float, float]] = {}
        self._last: dict[str, float] = {}

    def take(self, line: str, time: float) -> bool:
        """Takes one line."""
        if slot := _SLOT.search(line):
            self._slot = slot[1]
        try:
            if live := _LIVE.search(line):
                self._decode[self._slot] = (time, float(live[2]))
                self._prefill.pop(self._slot, None)
            elif prefill := _PREFILL.search(line):
                self._prefill[self._slot] = (time, float(prefill[1]))
            elif ended := _ENDED.search(line):
                self._end(float(ended[2]), of_prompt=bool(ended[1]))
            else:
                return False
        except ValueError:
            return False
        return True

    def now(self, time: float) -> Facts:
        """The sums over the slots that said something lately, and the speed of the last request."""
        decode = [rate for when, rate in self._decode.values() if time - when <= _FRESH_S]
        prefill = [rate for when, rate in self._prefill.values() if time - when <= _FRESH_S]
        live = {"decode_tps": sum(decode)} if decode else {}
        live |= {"prefill_tps": sum(prefill)} if prefill else {}
        if decode or prefill:
            live |= {"requests_running": float(len(decode) + len(prefill)), "prefilling": float(len(prefill))}
        return self._last | live

    def _end(self, rate: float, *, of_prompt: bool) -> None:
        self._last["last_prefill_tps" if of_prompt else "last_decode_tps"] = rate
        self._prefill.pop(self._slot, None)
        if not of_prompt:
            self._decode.pop(self._slot, None)
