"""Where programs keep the models that they name, as "llama3:8b" or "org/model". Nothing is fetched."""

from pathlib import Path

from . import huggingface, lmstudio, ollama
from .typed import is_name, is_path, is_text


def locate(name: str) -> Path | None:
    """The model that goes by this name on this machine, for `facts`; None if it is not there.

    Args:
        name: an absolute path, or one that begins with "~" or "."; else a name in the cache of Hugging Face
            ("org/model", "org/model:Q4_K_M"), in LM Studio ("publisher/repo/file.gguf") or in Ollama ("llama3",
            "user/model:tag", "hf.co/org/model").

    Raises:
        BadModelFile: a manifest that should tell is broken.
    """
    if not is_text(name):
        return None
    try:
        if is_path(name):
            path = Path(name).expanduser()
            return path if path.is_file() or path.is_dir() else None
        if not is_name(name):
            return None
        return huggingface.locate(name) or lmstudio.locate(name) or ollama.locate(name)
    except (OSError, RuntimeError):  # RuntimeError: nobody's home, or links in a circle
        return None
