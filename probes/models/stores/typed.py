"""What a person types for a model: its name, with the word that picks one of several files, or its path."""

import re
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 512
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+){0,4}(?::[\w.-]+)?")
_TAG = re.compile(r"[\w.-]+")
_QUANTISATION = re.compile(
    r"(?<![A-Za-z\d])(?:UD[-_])?(?:I?Q\d(?:_[A-Z\d]+)*|TQ\d_\d|BF16|F16|FP16|F32|MXFP4(?:_MOE)?|NVFP4)(?![A-Za-z\d])",
    re.IGNORECASE,
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def is_text(name: str) -> bool:
    """Whether anybody types this at all."""
    return 0 < len(name) <= _LONGEST and name.isprintable()


def is_path(name: str) -> bool:
    """Whether this means a place, not a name: absolute, or beginning with "~" or "."."""
    return name.startswith(("/", "~", "./", "../")) or Path(name).is_absolute()


def is_name(name: str) -> bool:
    """Whether a store may know a model by this."""
    return is_text(name) and bool(_NAME.fullmatch(name)) and ".." not in name


def as_path(path: Path) -> str:
    """A path from the working directory, from home, else whole."""
    for start, sign in ((working_directory(), "."), (under_home(""), "~")):
        if start and start != Path(start.anchor) and path != start and path.is_relative_to(start):
            return f"{sign}/{path.relative_to(start)}"
    return str(path)


def working_directory() -> Path | None:
    """None if it is gone."""
    try:
        return Path.cwd()
    except OSError:
        return None


def under_home(name: str) -> Path | None:
    """A place in the home of this user; None if there is no home."""
    try:
        return Path("~", name).expanduser()
    except RuntimeError:
        return None


def tags(name: str) -> Iterator[str]:
    """What may stand behind the colon for a file, the shortest first: "Q4_K_M", then the whole name."""
    stem = _SHARD.sub("", name.removesuffix(".gguf"))
    words: list[str] = _QUANTISATION.findall(stem)
    for tag in (*reversed(words), stem, name):
        if _TAG.fullmatch(tag):
            yield tag
