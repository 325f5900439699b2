"""Engines as the estimator sees them: whose kin one is, how it splits a model, where it runs, how old the build is."""

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
UNKNOWN = "OpenAI-compatible"
"""The name of an engine of which no more is known than its API."""
ANY = "any"
"""Its kin, which has no constants and the range of all rows."""

_DATE = re.compile(r"\b(20[12]\d)(?:[-.](\d{1,2}))?\b")


class Engine(Struct, frozen=True, kw_only=True):
    """What sets one engine apart from the next."""

    name: str
    kin: str
    """The family whose constants it shares as far as its own rows are few."""
    split: Split
    chunk: int = CHUNK
    backends: tuple[Backend, ...] = BACKENDS
    """Those that it has; where a device leaves the choice, the first is the usual one."""
    capability: float = 0.0
    """The lowest CUDA compute capability that it runs on."""


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


_Family = tuple[str, Split, int]
_LLAMA: _Family = ("llama.cpp", "layers", PHYSICAL_BATCH)
_SERVING: _Family = ("serving", "tensors", CHUNK)
_EXLLAMA: _Family = ("exllama", "layers", CHUNK)
_EXLLAMA_3: _Family = ("exllama", "tensors", CHUNK)
_COMPILED: _Family = ("compiled", "tensors", CHUNK)
_EAGER: _Family = ("eager", "layers", CHUNK)
_MLX: _Family = ("mlx", "layers", CHUNK)
_ANY: _Family = (ANY, "layers", CHUNK)
_ALL = "cuda, metal, rocm, sycl, vulkan, cpu"
_TORCH = "cuda, rocm, sycl, cpu"


def _engines(family: _Family, names: str, backends: str, capability: float = 0.0) -> dict[str, Engine]:
    kin, split, chunk = family
    known: dict[str, Backend] = {each: each for each in BACKENDS}
    runs_on: list[Backend] = [known[name] for name in backends.split(", ")]
    return {
        name: Engine(name=name, kin=kin, split=split, chunk=chunk, backends=tuple(runs_on), capability=capability)
        for name in names.split(", ")
    }


ENGINES: dict[str, Engine] = {
    **_engines(_LLAMA, "llama.cpp", _ALL),
    **_engines(_LLAMA, "Ollama", "cuda, metal, rocm, vulkan, cpu", 5.0),
    **_engines(_LLAMA, "llamafile", "cuda, metal, rocm, cpu"),
    **_engines(_LLAMA, "KoboldCpp", "cuda, metal, vulkan, rocm, cpu"),
    **_engines(_LLAMA, "LM Studio, text-generation-webui", "cuda, metal, rocm, vulkan, cpu"),
    **_engines(_LLAMA, "llama-cpp-python, llama-swap, LocalAI", _ALL),
    **_engines(_LLAMA, "Lemonade", "metal, vulkan, rocm, cpu"),
    **_engines(_LLAMA, "ds4", "cuda, metal, rocm"),
    **_engines(_LLAMA, "vulkanforge", "vulkan"),
    **_engines(_SERVING, "vLLM, Ray Serve, OpenLLM", _TORCH, 7.0),
    **_engines(_SERVING, "SGLang", "cuda, metal, rocm, sycl, cpu", 7.5),
    **_engines(_SERVING, "TGI", _TORCH, 5.0),
    **_engines(_SERVING, "LMDeploy, DeepSpeed-MII, NIM, Dynamo", "cuda", 7.0),
    **_engines(_EXLLAMA, "ExLlama, ExLlama_HF, ExLlamaV2", "cuda, rocm"),
    **_engines(_EXLLAMA_3, "ExLlamaV3, TabbyAPI", "cuda", 5.0),
    **_engines(_COMPILED, "MLC LLM", "cuda, metal, rocm, vulkan"),
    **_engines(_COMPILED, "TensorRT-LLM, Triton", "cuda", 8.0),
    **_engines(_COMPILED, "TinyChat", "cuda"),
    **_engines(_COMPILED, "calm", "cuda, metal, cpu"),
    **_engines(_COMPILED, "CTranslate2", "cuda, cpu"),
    **_engines(_EAGER, "Transformers", "cuda, metal, rocm, sycl, cpu"),
    **_engines(_MLX, "MLX", "metal, cuda, cpu", 7.5),
    **_engines(_MLX, "oMLX, vllm-metal", "metal"),
    **_engines(_ANY, UNKNOWN, _ALL),
}
"""By name. An engine of no rows of its own has its kin's constants.

Where they run is what the projects say. llama.cpp: docs/build.md. Ollama: docs, "Hardware support". llamafile,
KoboldCpp (which advises Vulkan for AMD), Lemonade (Vulkan on all GPUs), ds4, calm, ExLlamaV3 (CUDA 12.4, which begins
at 5.0; ROCm is to be done), CTranslate2: their README files. vulkanforge: its wiki. vLLM: docs, "GPU" and "CPU"; Ray
Serve and OpenLLM run it. SGLang: docs, "Hardware platforms", and the check in its model runner. TGI: docs,
"Installation" (CUDA 12.2, which begins at 5.0). LMDeploy: docs, "Installation". DeepSpeed-MII: README, tested on V100
and A6000. NIM and Dynamo run vLLM or TensorRT-LLM. TensorRT-LLM: docs, "Support matrix"; Triton serves its engines.
ExLlama on ROCm: its issue 268. MLX: docs, "Build and install". Older builds, and people who build for themselves, may
reach further down.
"""

ALIASES: dict[str, tuple[str, ...]] = {
    "llama.cpp": ("llama-server", "llama-cli", "yzma (llama.cpp)", "ik_llama.cpp", "xllamacpp"),
    "llama-cpp-python": ("llama-cpp-python (library)",),
    "llamafile": ("llamafile/localscore", "localscore"),
    "text-generation-webui": ("oobabooga",),
    "TGI": ("text-generation-inference",),
    "LMDeploy": ("TurboMind", "LMDeploy/TurboMind"),
    "DeepSpeed-MII": ("MII", "DeepSpeed-MII (pipeline)"),
    "NIM": ("NVIDIA NIM",),
    "Dynamo": ("NVIDIA Dynamo",),
    "Triton": ("Triton Inference Server", "tritonserver"),
    "Ray Serve": ("Ray Serve LLM", "Ray"),
    "Transformers": ("HF Transformers", "Hugging Face Transformers", "transformers serve"),
    "ExLlamaV3": ("ExLlama v3", "exl3"),
    "ExLlamaV2": ("ExLlama v2", "exl2"),
    "MLC LLM": ("MLC",),
    "TensorRT-LLM": ("TensorRT", "trtllm", "trtllm-serve"),
    "MLX": ("mlx-lm", "mlx-lm (library)", "MLX CUDA"),
}


@cache
def _names() -> Names:
    return Names({name: ALIASES.get(name, ()) for name in ENGINES}, "engine")


def engine(name: str) -> Engine:
    """The engine of this name. Raises UnknownName."""
    return ENGINES[_names().find(name)]


def year(text: str) -> float | None:
    """The date that a build's description begins to tell, in years: "2024-05" is 2024.4; None for a bare version.

    A date with "or later" behind it tells nothing, nor does one with a thirteenth month.
    """
    match = _DATE.search(text)
    if match is None or "later" in text:
        return None
    if not match[2]:
        return float(match[1])
    return int(match[1]) + (int(match[2]) - 1) / 12 if 1 <= int(match[2]) <= 12 else None
