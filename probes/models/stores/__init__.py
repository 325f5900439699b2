"""Where programs keep the models that they name, as "llama3:8b" or "org/model". Nothing is fetched."""

import re
from pathlib import Path

from . import huggingface, lmstudio, ollama

_LONGEST = 512
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+){0,4}(?::[\w.-]+)?")


def locate(name: str) -> Path | None:
    """The model that goes by this name on this machine, for `facts`; None if it is not there.

    Args:
        name: an absolute path, or one that begins with "~" or "."; else a name in the cache of Hugging Face
            ("org/model", "org/model:Q4_K_M"), in LM Studio ("publisher/repo/file.gguf") or in Ollama ("llama3",
            "user/model:tag", "hf.co/org/model").

    Raises:
        BadModelFile: a manifest that should tell is broken.
    """
    if not 0 < len(name) <= _LONGEST or not name.isprintable():
        return None
    try:
        if name.startswith(("/", "~", "./", "../")) or Path(name).is_absolute():
            path = Path(name).expanduser()
            return path if path.is_file() or path.is_dir() else None
        if not _NAME.fullmatch(name) or ".." in name:
            return None
        return huggingface.locate(name) or lmstudio.locate(name) or ollama.locate(name)
    except (OSError, RuntimeError):  # RuntimeError: nobody's home, or links in a circle
        return None
