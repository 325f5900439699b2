"""The store of Ollama: a manifest for each tag names the blobs of a model by their digests."""

import os
import re
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..bad import BadModelFile

_PLACES = (
    "~/.ollama/models",
    "/usr/share/ollama/.ollama/models",
    "/var/lib/ollama/.ollama/models",
    "/var/lib/ollama/models",
    "/var/lib/ollama",
)
_HOST, _SPACE, _TAG = "registry.ollama.ai", "library", "latest"
_MODEL = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-][0-9a-f]{64}")
_LIMIT = 1 << 20
"""No manifest is longer, in bytes: the usual ones have 1 kB."""


class _Layer(Struct):
    mediaType: str = ""  # noqa: N815 # the name in the file
    digest: str = ""


class _Manifest(Struct):
    layers: list[_Layer] = []


_decode = Decoder(_Manifest).decode


def locate(name: str) -> Path | None:
    """The GGUF file of a model.

    Args:
        name: "llama3", "llama3:8b", "user/model:tag", "host/user/model:tag".

    Raises:
        BadModelFile: its manifest is broken.
        OSError: a folder cannot be read.
    """
    name, _, tag = name.partition(":")
    words = name.split("/")
    if len(words) > 3:
        return None
    words = [_HOST, _SPACE][: 3 - len(words)] + words
    for place in filter(None, (os.environ.get("OLLAMA_MODELS"), *_PLACES)):
        root = Path(place).expanduser()
        manifest = root.joinpath("manifests", *words, tag or _TAG)
        if manifest.is_file():
            found = (root / "blobs" / digest for digest in _digests(manifest))
            return next((blob for blob in found if blob.is_file()), None)
    return None


def _digests(manifest: Path) -> list[str]:
    """The names of the blobs that hold the weights."""
    with manifest.open("rb") as file:
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise BadModelFile(manifest, f"a manifest of more than {_LIMIT >> 20} MiB")
    try:
        layers = _decode(data).layers
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise BadModelFile(manifest, "no manifest of a model") from None
    digests = [layer.digest for layer in layers if layer.mediaType == _MODEL]
    return [digest.replace(":", "-") for digest in digests if _DIGEST.fullmatch(digest)]
