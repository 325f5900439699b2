"""The store of Ollama: a manifest for each tag names the blobs of a model by their digests."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..bad import BadModelFile
from .stored import Stored
from .typed import as_path
from .weights import contents

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
_MOST_MANIFESTS = 2000
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
    for root in _roots():
        manifest = root.joinpath("manifests", *words, tag or _TAG)
        if manifest.is_file():
            found = (root / "blobs" / digest for digest in _digests(manifest))
            return next((blob for blob in found if blob.is_file()), None)
    return None


def present() -> Iterator[Stored]:
    """The models that have a manifest and all their blobs; those that run elsewhere (":cloud") have none."""
    known: set[tuple[str, ...]] = set()
    for root in dict.fromkeys(_roots()):
        for manifest in islice(_manifests(root / "manifests"), _MOST_MANIFESTS):
            words = manifest.parts[-4:]
            is_first = words not in known
            known.add(words)
            try:
                blobs = [root / "blobs" / digest for digest in _digests(manifest)]
                size_bytes = sum(blob.stat().st_size for blob in blobs)
            except (BadModelFile, OSError):
                continue
            if size_bytes and blobs[0].is_file():
                name = _said(*words) if is_first and ":" not in words[0] else as_path(blobs[0])
                yield Stored(name=name, path=blobs[0], store="Ollama", size_bytes=size_bytes)


def _manifests(folder: Path, depth: int = 3) -> Iterator[Path]:
    """The files that lie host/space/model deep."""
    files, folders = contents(folder)
    if not depth:
        yield from (folder / name for name in files)
        return
    for name in folders:
        yield from _manifests(folder / name, depth - 1)


def _said(host: str, space: str, model: str, tag: str) -> str:
    """As `ollama run` takes it."""
    owner = [] if (host, space) == (_HOST, _SPACE) else [space] if host == _HOST else [host, space]
    name = "/".join([*owner, model])
    return name if tag == _TAG else f"{name}:{tag}"


def _roots() -> list[Path]:
    return [Path(place).expanduser() for place in (os.environ.get("OLLAMA_MODELS"), *_PLACES) if place]


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
