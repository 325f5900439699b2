"""What an engine and a model are called."""

import os
import sys
from typing import NamedTuple


class Library(NamedTuple):
    """An engine that people use as a library."""

    name: str
    """As people write it."""
    module: str
    """As they import it."""


LIBRARIES = {
    "ctranslate2": Library("CTranslate2", "ctranslate2"),
    "exllamav2": Library("ExLlamaV2", "exllamav2"),
    "exllamav3": Library("ExLlamaV3", "exllamav3"),
    "transformers": Library("transformers", "transformers"),
    "mlxlm": Library("mlx-lm", "mlx_lm"),
    "mlx": Library("mlx-lm", "mlx_lm"),
    "llamacpppython": Library("llama-cpp-python", "llama_cpp"),
    "llamacpp": Library("llama-cpp-python", "llama_cpp"),
    "deepspeedmii": Library("DeepSpeed-MII", "mii"),
    "mii": Library("DeepSpeed-MII", "mii"),
}


def library(engine: str) -> Library:
    """The engine of this name, however it is written; one that is not known keeps its name."""
    plain = "".join(c for c in engine.lower() if c.isalnum())
    return LIBRARIES.get(plain) or Library(engine, "")


def version_of(module: str) -> str:
    """Of a library that the program has imported; empty where it has not, or where it does not say."""
    told = getattr(sys.modules.get(module), "__version__", "")
    return told if isinstance(told, str) else ""


def model_name(model: str) -> tuple[str, str]:
    """The name of a model, and the folder or file of its weights where it names one on this machine.

    A folder of the Hugging Face cache, "models--OWNER--NAME/snapshots/REVISION", is called OWNER/NAME.
    """
    if not model or not os.path.exists(model):  # noqa: PTH110  # a Path takes five times as long
        return model, ""
    path = os.path.abspath(model)  # noqa: PTH100
    _, cached, name = path.rpartition(f"{os.sep}models--")
    if cached:
        return name.partition(os.sep)[0].replace("--", "/"), path
    return os.path.basename(path), path  # noqa: PTH119
