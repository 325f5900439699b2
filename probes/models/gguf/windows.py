"""Which layers look back over a window only. The patterns are those of llama.cpp, src/models/ (load_swa_pattern)."""

from .keys import Keys

_PERIODS = {
    "afmoe": 4,
    "cohere2": 4,
    "exaone-moe": 4,
    "exaone4": 4,
    "gemma-embedding": 6,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "llama4": 4,
    "mellum": 4,
    "muse-glimmer": 4,
    "olmo2": 4,
    "plamo3": 8,
}
"""The last layer of so many keeps the whole context."""
_FULL_FIRST = {"cohere2moe": 4, "laguna": 4, "modern-bert": 3, "smallthinker": 4}
"""The first layer of so many does."""
_UNSTATED = {"exaone-moe": 128, "exaone4": 4096, "gemma2": 4096, "llama4": 8192}
"""Windows in tokens of files that do not say."""
_FIXED = {"llama4": 8192, "smallthinker": 4096}
"""Windows of architectures whose key says only that there is one."""
_NONE = {"phi3"}
"""Architectures whose key llama.cpp ignores."""


def windows(keys: Keys) -> tuple[int | None, list[bool], str | None]:
    """Length of the window in tokens, for each layer whether it has one, and a remark if that is assumed."""
    layers, architecture = keys.layers or 0, keys.architecture or ""
    stated = keys.of_model("attention.sliding_window")
    window = _UNSTATED.get(architecture) if stated is None else stated
    small = architecture == "exaone4" and layers != 64
    if not window or architecture in _NONE or small:
        return None, [False] * layers, None
    window = _FIXED.get(architecture, window)
    flags = keys.flags("attention.sliding_window_pattern")
    if flags is not None:
        return window, flags, None
    period = keys.period("attention.sliding_window_pattern")
    full_first = architecture in _FULL_FIRST
    if period is None:
        period = _FULL_FIRST.get(architecture) or _PERIODS.get(architecture)
    if period is None:
        return window, [True] * layers, "all layers taken as sliding-window ones"
    full = 0 if full_first else period - 1
    return window, [period == 0 or layer % period != full for layer in range(layers)], None
