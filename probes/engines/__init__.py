"""One file per engine, over one contract."""

from .contract import EngineAdapter, HostAdapter
from .deepspeed_mii import DeepSpeedMii
from .dynamo import Dynamo
from .koboldcpp import KoboldCpp
from .lemonade import Lemonade
from .llama_cpp_python import LlamaCppPython
from .llama_swap import LlamaSwap
from .llamacpp import LlamaCpp
from .llamafile import Llamafile
from .lm_studio import LMStudio
from .lmdeploy import LMDeploy
from .localai import LocalAI
from .mlc_llm import MlcLlm
from .mlx_lm import MlxLm
from .nim import Nim
from .observed import Observed
from .ollama import Ollama
from .omlx import OMlx
from .openai_compatible import OpenAiCompatible
from .openllm import OpenLlm
from .ray_serve import RayServe
from .sglang import SGLang
from .tabbyapi import TabbyApi
from .tensorrt_llm import TensorRtLlm
from .text_generation_webui import TextGenerationWebui
from .tgi import Tgi
from .transformers_serve import TransformersServe
from .triton import Triton
from .vllm import Vllm

ENGINES: tuple[type[EngineAdapter], ...] = (
    LMStudio,  # these two write an error in their log for a path that they do not know: asked before /version is
    Lemonade,
    LlamaCpp,
    Observed,
    Nim,  # has the names of vLLM, and its list of models
    Vllm,
    SGLang,
    LMDeploy,
    RayServe,
    TensorRtLlm,
    Dynamo,
    MlcLlm,
    Tgi,
    Llamafile,
    KoboldCpp,
    LlamaSwap,
    LocalAI,
    Ollama,
    TextGenerationWebui,
    TabbyApi,
    OMlx,
    MlxLm,
    TransformersServe,
    LlamaCppPython,
    DeepSpeedMii,
    OpenLlm,
    Triton,
    OpenAiCompatible,  # the last: whatever lists models, and is none of the others
)
"""Every engine that can be read; the first that matches an endpoint has it."""

HOSTS: tuple[type[HostAdapter], ...] = (Ollama, LlamaSwap, Lemonade, TextGenerationWebui, LlamaCpp)
"""Those of them that start others and stand before them."""
