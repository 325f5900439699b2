"""Engines as the estimator sees them: whose kin one is, how it splits a model, and how old the build is."""

import re
from functools import cache
from typing import Literal

from msgspec import Struct

from .catalogue.names import Names

Split = Literal["layers", "tensors"]
"""How a model is spread over devices: whole layers, one device after the other, or a part of each tensor."""
Backend = Literal["cuda", "metal", "rocm", "vulkan", "sycl", "cpu"]
BACKENDS: tuple[Backend, ...] = ("cuda", "metal", "rocm", "vulkan", "sycl", "cpu")

PHYSICAL_BATCH = 512
"""Prompt tokens that llama.cpp takes through the model at once (--ubatch-size)."""
CHUNK = 2048
"""Prompt tokens that a step of the serving engines takes at most (vLLM's max_num_batched_tokens)."""
ERAS = {"llama.cpp": (2024.75, "before flash attention"), "serving": (2024.75, "before asynchronous scheduling")}
"""By kin: the date of a turn in speed, and the name of what lies before it.

llama.cpp got CUDA graphs throughout and flash attention in the course of 2024. vLLM took the scheduler's work off the
GPU's path with 0.6 (September 2024) and V1.
"""

_DATE = re.compile(r"\b(20[12]\d)(?:[-.](\d{1,2}))?\b")


class Engine(Struct, frozen=True, kw_only=True):
    """What sets one engine apart from the next."""

    name: str
    kin: str
    """The family whose constants it shares as far as its own rows are few."""
    split: Split
    chunk: int = CHUNK


class Software(Struct, frozen=True, kw_only=True):
    """An engine on a backend, in a build of some date."""

    engine: Engine
    backend: Backend
    year: float | None = None
    """When it was built, as 2024.4; None for today's."""

    @property
    def names(self) -> tuple[str, ...]:
        """What its constants are filed under, the general before the special."""
        engine = self.engine
        kin = () if engine.kin == engine.name else (engine.kin,)
        turned, era = ERAS.get(engine.kin, (0.0, ""))
        before = (era,) if self.year is not None and self.year < turned else ()
        return (*kin, engine.name, *before)


def _engines(kin: str, split: Split, chunk: int, names: str) -> dict[str, Engine]:
    return {name: Engine(name=name, kin=kin, split=split, chunk=chunk) for name in names.split(", ")}


ENGINES: dict[str, Engine] = {
    **_engines(
        "llama.cpp",
        "layers",
        PHYSICAL_BATCH,
        "llama.cpp, Ollama, llamafile, KoboldCpp, LM Studio, text-generation-webui, ds4, vulkanforge",
    ),
    **_engines("serving", "tensors", CHUNK, "vLLM, SGLang, TGI, LMDeploy, DeepSpeed-MII, OpenLLM, Ray Serve"),
    **_engines("exllama", "layers", CHUNK, "ExLlama, ExLlama_HF, ExLlamaV2"),
    **_engines("exllama", "tensors", CHUNK, "ExLlamaV3, TabbyAPI"),
    **_engines("compiled", "tensors", CHUNK, "MLC LLM, TensorRT-LLM, TinyChat, calm, CTranslate2"),
    **_engines("eager", "layers", CHUNK, "Transformers"),
    **_engines("mlx", "layers", CHUNK, "MLX"),
}
"""By name. An engine of no rows of its own has its kin's constants."""

ALIASES: dict[str, tuple[str, ...]] = {
    "llama.cpp": ("llama-server", "llama-cli", "yzma (llama.cpp)", "ik_llama.cpp", "xllamacpp"),
    "llamafile": ("llamafile/localscore", "localscore"),
    "text-generation-webui": ("oobabooga",),
    "TGI": ("text-generation-inference",),
    "LMDeploy": ("TurboMind", "LMDeploy/TurboMind"),
    "DeepSpeed-MII": ("MII",),
    "Transformers": ("HF Transformers", "Hugging Face Transformers"),
    "ExLlamaV3": ("ExLlama v3", "exl3"),
    "ExLlamaV2": ("ExLlama v2", "exl2"),
    "MLC LLM": ("MLC",),
    "TensorRT-LLM": ("TensorRT", "trtllm"),
    "MLX": ("mlx-lm", "MLX CUDA"),
}


@cache
def _names() -> Names:
    return Names({name: ALIASES.get(name, ()) for name in ENGINES}, "engine")


def engine(name: str) -> Engine:
    """The engine of this name. Raises UnknownName."""
    return ENGINES[_names().find(name)]


def year(text: str) -> float | None:
    """The date that a build's description begins to tell, in years: "2024-05" is 2024.4; None for a bare version.

    A date with "or later" behind it tells nothing.
    """
    match = _DATE.search(text)
    if match is None or "later" in text:
        return None
    return int(match[1]) + (int(match[2]) - 1) / 12 if match[2] and 1 <= int(match[2]) <= 12 else float(match[1])
