"""Engines that are no servers: a person's own script runs them, and `llmtop.hook` in it counts."""

from .contract import Way

_HOOK = Way("llmtop.hook", "token", needs="three lines in your script: docs/hook.md")
LIBRARIES: dict[str, Way] = {
    "CTranslate2": _HOOK,
    "ExLlamaV2": _HOOK,
    "ExLlamaV3": _HOOK,
    "transformers": _HOOK,
    "mlx-lm (library)": _HOOK,
    "llama-cpp-python (library)": _HOOK,
    "DeepSpeed-MII (pipeline)": Way("llmtop.hook", "request", needs="three lines in your script: docs/hook.md"),
}
"""By name, how they are read."""
