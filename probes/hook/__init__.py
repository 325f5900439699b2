"""`llmtop.hook`: counts what a library engine generates inside somebody's own program, for the monitor to read.

Each engine has a file of its own with what fits its interface. None of them imports its engine. Nothing here raises
into the program, prints, or keeps a word of prompts and answers: only numbers, and the name of the model.
"""

from . import ctranslate2, exllama, llama_cpp, mii, mlx_lm, transformers
from .generation import Generation
from .process import generation, publish

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
