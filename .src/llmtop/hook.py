"""Counts what a library engine generates inside your own program, for llmtop to show: see docs/hook.md."""

from llmtop.probes.hook import (
    Generation,
    ctranslate2,
    exllama,
    generation,
    llama_cpp,
    mii,
    mlx_lm,
    publish,
    transformers,
)

__all__ = [
    "Generation",
    "ctranslate2",
    "exllama",
    "generation",
    "llama_cpp",
    "mii",
    "mlx_lm",
    "publish",
    "transformers",
]
