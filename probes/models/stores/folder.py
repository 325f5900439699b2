"""Which file of a folder is the model that is meant."""

from itertools import islice
from pathlib import Path

_MOST = 1000
_USUAL = "q4_k_m"


def model_in(folder: Path, tag: str | None = None) -> Path | None:
    """The folder itself if it is a model, else one of its GGUF files; None if it is neither.

    Repositories of GGUF files may bring the `config.json` of the model that they were made from.

    Args:
        folder: of one repository.
        tag: a quantisation, as "Q4_K_M", or a part of a file's name.
    """
    if not folder.is_dir():
        return None
    is_described = any((folder / name).is_file() for name in ("config.json", "mlc-chat-config.json"))
    if tag is None and is_described and next(folder.glob("*.safetensors"), None):
        return folder
    found = sorted(islice((path for pattern in ("*.gguf", "*/*.gguf") for path in folder.glob(pattern)), _MOST))
    found = [path for path in found if not path.name.lower().startswith("mmproj")]
    if tag is not None:
        found = [path for path in found if tag.lower() in path.name.lower()]
    usual = (path for path in found if _USUAL in path.name.lower())
    return next(usual, found[0] if found else folder if is_described and tag is None else None)
