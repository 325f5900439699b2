"""Real engines that run on any machine, on random weights made on the spot: one file for each."""

from .contract import Recipe
from .ctranslate2 import CTranslate2
from .llama_cpp_python import LlamaCppPython
from .llama_server import LlamaServer
from .mlx_lm import MlxLm
from .ollama import Ollama
from .ray import Ray
from .transformers import Transformers
from .vllm import Vllm

RECIPES: tuple[Recipe, ...] = (
    LlamaServer(),
    Ollama(),
    Vllm(),
    Ray(),
    MlxLm(),
    LlamaCppPython(),
    Transformers(),
    CTranslate2(),
)
"""By name: the light ones that tell their rate themselves come first."""
