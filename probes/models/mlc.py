"""Folders of MLC LLM: facts from `mlc-chat-config.json` and the table of its weights."""

from pathlib import Path

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from ..sample import ModelFacts
from .bad import BadModelFile
from .safetensors.config import load
from .safetensors.facts import assemble
from .safetensors.parts import parts as arithmetic
from .safetensors.quantization import Scheme
from .safetensors.sizes import check
from .safetensors.tally import Tally

_CONFIG = "mlc-chat-config.json"
_TABLES = ("tensor-cache.json", "ndarray-cache.json")
_LIMIT = 32 << 20
_MOST_WEIGHTS = 1 << 19
_BITS = {"q4f16": 4.5, "q4bf16": 4.5, "q4f32": 5.0, "q3f16": 3.6, "q0f16": 16.0, "q0bf16": 16.0, "q0f32": 32.0}
"""Bits of a weight with its share of the scale, by how the name begins: groups of 32, or of 40 with ten weights of 3
bits in an integer of 32 (quantization.py of mlc-llm). Others are taken as 8."""


class _Weight(Struct, frozen=True, gc=False):
    name: str
    nbytes: int = 0


class _File(Struct, frozen=True, gc=False):
    records: list[_Weight] = []


class _Table(Struct, frozen=True):
    records: list[_File] = []


_decode = Decoder(_Table).decode


def parts(path: Path) -> list[Path]:
    """The configuration and the table of a folder; empty for a path of another format."""
    folder = path.parent if path.name in {_CONFIG, *_TABLES} else path
    if not (folder / _CONFIG).is_file():
        return []
    table = _table(folder)
    return [folder / _CONFIG, *([table] if table else [])]


def read(path: Path) -> ModelFacts:
    """Reads the facts of the model in a folder.

    Raises:
        BadModelFile: a file is broken.
        OSError: it cannot be read.
    """
    folder = path.parent if path.name in {_CONFIG, *_TABLES} else path
    outer = load(folder / _CONFIG)
    config = outer.around("model_config").language()
    check(config)
    name = outer.text("quantization")
    bits = next((bits for start, bits in _BITS.items() if (name or "").startswith(start)), 8.0)
    scheme = Scheme(name=f"MLC {name}"[:40], bits=bits, has_tables=True) if name else None
    table, tally = _table(folder), None
    if table is not None:
        tally = Tally(config.layers, None)
        for weight in _weights(table):
            tally.count(weight.name, weight.nbytes, 0)
        known = arithmetic(config)
        if known is not None:
            tally.parameters = {role: count for role, count in known.by_role().items() if role in tally.bytes}
    source = f"{table.name} and {_CONFIG}" if table else f"{_CONFIG} alone: parameters by arithmetic"
    return assemble(path, config, tally, scheme, source)


def _table(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


def _weights(table: Path) -> list[_Weight]:
    with table.open("rb") as file:
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT or data.count(b"{") > _MOST_WEIGHTS:
        raise BadModelFile(table, f"a JSON file of more than {_LIMIT >> 20} MiB, or {_MOST_WEIGHTS} weights")
    try:
        found = [weight for file in _decode(data).records for weight in file.records]
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadModelFile(table, f"no table of weights: {error}") from None
    except RecursionError:
        raise BadModelFile(table, "a JSON file that is nested too deep") from None
    if any(not 0 <= weight.nbytes < 1 << 62 for weight in found):
        raise BadModelFile(table, "a weight of less than no bytes")
    return found
