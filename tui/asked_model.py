"""The model that `--model` means: a file or folder, a name in a store of this machine, or a name in the catalogue."""

import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ..estimator.catalogue.models import CatalogueModel
from ..estimator.catalogue.models import model as known_model
from ..estimator.catalogue.names import UnknownName
from ..estimator.format_names import in_name, usual
from ..estimator.software import Engine
from ..probes.models import BadModelFile, facts, locate
from ..probes.sample import ModelFacts
from .asked_names import asked_format
from .refusal import Refusal, WrongUsage

GIB = 1 << 30
FILES = (".gguf", ".safetensors", ".json", ".bin")
"""How the names of files end that no model is called like."""
NO_GGUF = frozenset({"fp8", "int4", "exl"})
"""Kinds of formats that GGUF files are never in."""


class AskedModel(Struct, frozen=True, kw_only=True):
    """The model, and what was taken where nothing was said."""

    facts: ModelFacts
    row: CatalogueModel | None = None
    """Of the catalogue; None for a file."""
    usual: str | None = None
    """That nobody said which quantisation, and which is taken then, in a line."""
    notes: tuple[str, ...] = ()


def asked_model(name: str, quant: str | None, weights_gib: float | None, engine: Engine) -> AskedModel:
    """Finds it.

    Args:
        name: what --model says.
        quant: what --quant says; a file has its own.
        weights_gib: the size of the file, for a model of the catalogue.
        engine: what the usual quantisation is that of.

    Raises:
        UnknownName: it is none of the three, or a quantisation in it is not known.
        WrongUsage: --quant is no format, or a file cannot have the quantisation or the size that was asked for.
        Refusal: it is a file that cannot be read, or a part of a model.
    """
    if quant is not None and not quant.strip():
        raise WrongUsage("--quant names no quantisation: it is empty")
    path = _path(name)
    if path is None and quant is None and weights_gib is None and (":" in name or "/" in name):
        path = _stored(name)
    try:
        row = known_model(name) if path is None else None
    except UnknownName as unknown:
        path = _stored(name)
        if path is None and name.lower().endswith(FILES):
            raise Refusal(f"{_absent(name)}: {_line(name)}") from None
        if path is None:
            raise unknown from None
        row = None
    if row is None:
        if quant or weights_gib:
            raise WrongUsage(_own(str(path), quant, weights_gib))
        found = _read(str(path))
        return AskedModel(facts=found, notes=found.assumed)
    notes: list[str] = []
    usually: str | None = None
    fmt = asked_format(quant, engine) if quant else in_name(name, engine)
    if quant and fmt and _plain(quant) != _plain(fmt.name) and _plain(quant) not in map(_plain, fmt.aliases):
        notes.append(f"{quant} is taken as {fmt.name}")
    if fmt is None:
        fmt = usual(engine, row.family)
        usually = f"no quantisation was named: {fmt.name} is usual for {engine.name}"
    if engine.kin == "llama.cpp" and fmt.kind in NO_GGUF:
        notes.append(f"{engine.name} has no files in {fmt.name}: the speed is that of weights of so many bits")
    if row.approximate:
        notes.append(f"the shape of {row.name} is known roughly only")
    known = row.facts(fmt, weights_gib * GIB if weights_gib else None)
    return AskedModel(facts=known, row=row, usual=usually, notes=tuple(notes))


def _own(path: str, quant: str | None, weights_gib: float | None) -> str:
    """That a file cannot be asked for in another shape than it has; names the flags that were given, no others."""
    given = [
        (what, flag)
        for what, flag, value in (("quantisation", "--quant", quant), ("size", "--weights", weights_gib))
        if value
    ]
    own = " and ".join(what for what, _ in given)
    flags = " and ".join(flag for _, flag in given)
    return f"{_line(path)} is a file with its own {own}: leave {flags} out"


def _path(name: str) -> Path | None:
    """The file or folder of this name; a folder that is no model may still have the name of one."""
    try:
        path = Path(name).expanduser()
        if path.is_file() or (path.is_dir() and (_says_path(name) or _is_model(name))):
            return path
    except (OSError, RuntimeError):  # RuntimeError: nobody's home
        pass
    if _says_path(name):
        raise Refusal(f"{_absent(name, 'file or folder')}: {_line(name)}")
    return None


def _absent(name: str, what: str = "file") -> str:
    """Why there is nothing to read."""
    try:
        path = Path(name).expanduser()
        if path.exists():
            return "no regular file"
        return "a link that leads nowhere" if os.path.lexists(path) else f"no such {what}"
    except (OSError, RuntimeError, ValueError):  # too long; nobody's home; a name with a zero byte
        return f"no such {what}"


def _line(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name[:200])


def _says_path(name: str) -> bool:
    return name.startswith(("/", "~", "./", "../"))


def _is_model(folder: str) -> bool:
    try:
        return facts(folder) is not None
    except BadModelFile:
        return True


def _stored(name: str) -> Path | None:
    try:
        return locate(name)
    except BadModelFile as bad:
        raise Refusal(str(bad)) from None


def _read(path: str) -> ModelFacts:
    try:
        found = facts(path)
    except BadModelFile as bad:
        raise Refusal(str(bad)) from None
    if found is None:
        raise Refusal(f"{path} is no model of a known format (GGUF, safetensors, MLC, CTranslate2)")
    if found.missing_shards:
        some = f"{found.missing_shards} of {found.shards} shards"
        raise Refusal(f"{path}: {some} missing; the speed would be that of a part of the model")
    return replace(found, name=found.name or Path(path).name)


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
