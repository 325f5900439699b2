"""`config.json` of a Hugging Face folder, read leniently: a value of another kind, or beyond all sense, is none."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Raw

from ..bad import BadModelFile
from .defaults import DEFAULTS, SIZES
from .objects import OBJECT, OBJECTS, Scalar, plain, read_object, understood

LIMIT = 4 << 20
"""No configuration is longer, in bytes: the longest known ones, with a line for each quantised tensor, have 1 MB."""
MOST_LAYERS = 4096
_LARGEST = 1 << 40
_LANGUAGE = ("text_config", "llm_config", "language_config", "thinker_config", "language_model", "llm")
"""Where configurations of models that also see or hear keep that of their language model."""


class Config:
    """One object of the file, with the one around it to fall back to, and then the defaults of its type."""

    def __init__(self, values: Mapping[str, Raw], around: "Config | None" = None, path: Path | None = None) -> None:
        self._values = values
        self._around = around
        self._path: Path | None = path or (around._path if around else None)  # noqa: SLF001 # of the same class
        self._understood: dict[str, Scalar | list[Scalar]] = {}
        own = _text(plain(values.get("model_type")))
        self.type: str = own or (around.type if around else "")
        """The family, as "qwen3_moe"."""

    def fail(self, why: str) -> BadModelFile:
        """The error to raise."""
        return BadModelFile(self._path or "config.json", why)

    @property
    def layers(self) -> int | None:
        """Layers of the language model."""
        names = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
        stated = (_count(value) for value in self._stated(names))
        listed = len(self.texts("layer_types", "layers_block_type") or ())
        count = next(filter(None, stated), 0) or listed or self.whole(*names) or 0
        return count if 0 < count <= MOST_LAYERS else None

    def borrows(self, layer: int) -> bool:
        """Whether a layer looks into the cache of an earlier one (the last ones of gemma 3n and 4)."""
        return layer >= (self.layers or 0) - (self.whole("num_kv_shared_layers") or 0)

    def has(self, name: str) -> bool:
        """Whether the name is there at all."""
        return name in self._values

    def written(self, *names: str) -> Iterator[tuple[str, Scalar | list[Scalar]]]:
        """What stands under these names here and around, `null` left out; None for what is neither number nor text."""
        for name in names:
            for raw in self._raws((name,)):
                if bytes(raw) != b"null":
                    yield name, plain(raw)

    def defaulted(self) -> list[str]:
        """The sizes that the file does not say, and that are those of its type."""
        known = DEFAULTS.get(self.type, {})
        return [name for name in known if name in SIZES and not any(True for _ in self.written(name))]

    def whole(self, *names: str) -> int | None:
        """The count under the first of these names that has one; of a list, its first."""
        for value in self._found(names):
            count = _count(value[0] if isinstance(value, list) and value else value)
            if count is not None:
                return count
        return None

    def number(self, *names: str) -> float | None:
        """A number that need not be whole."""
        kinds = (
            value for value in self._found(names) if isinstance(value, int | float) and not isinstance(value, bool)
        )
        return next((float(value) for value in kinds if -_LARGEST < value < _LARGEST), None)

    def text(self, *names: str) -> str | None:
        """A text, without what a terminal would obey."""
        return next(filter(None, (_text(value) for value in self._found(names))), None)

    def flag(self, *names: str) -> bool | None:
        """A yes or no."""
        return next((value for value in self._found(names) if isinstance(value, bool)), None)

    def counts(self, *names: str) -> list[int] | None:
        """A list of counts; what is none in it counts 0."""
        lists = (value for value in self._found(names) if isinstance(value, list) and value)
        return next(([_count(item) or 0 for item in value[:MOST_LAYERS]] for value in lists), None)

    def nth(self, layer: int, *names: str) -> int | None:
        """The count of one layer, under a name that may have one for all."""
        each = self.counts(*names)
        return each[layer] if each and layer < len(each) else self.whole(*names)

    def texts(self, *names: str) -> list[str] | None:
        """A list of texts; what is none in it is empty."""
        for value in self._found(names):
            if isinstance(value, list) and any(isinstance(item, str) for item in value):
                return [item if isinstance(item, str) else "" for item in value[:MOST_LAYERS]]
        return None

    def inside(self, *names: str) -> "Config | None":
        """An object in this one, on its own."""
        found = (understood(OBJECT, raw) for raw in self._raws(names))
        return next((Config(values, path=self._path) for values in found if values is not None), None)

    def around(self, name: str) -> "Config":
        """An object in this one, which falls back to this one; this one alone if it is not there."""
        values = understood(OBJECT, self._values.get(name))
        return self if values is None else Config(values, self)

    def each(self, name: str) -> "list[Config] | None":
        """A list of objects."""
        found = (understood(OBJECTS, raw) for raw in self._raws((name,)))
        return next(
            ([Config(values, path=self._path) for values in many[:MOST_LAYERS]] for many in found if many), None
        )

    def objects(self) -> "Iterator[tuple[str, Config]]":
        """The objects in this one, by name."""
        for name, raw in self._values.items():
            values = understood(OBJECT, raw)
            if values is not None:
                yield name, Config(values, path=self._path)

    def language(self) -> "Config":
        """The language model's own part, which falls back to this one."""
        here = self
        for _ in range(3):
            values = here._inner()
            if values is None:
                break
            here = Config(values, here)
        return here

    def _inner(self) -> dict[str, Raw] | None:
        found = (understood(OBJECT, self._values.get(name)) for name in _LANGUAGE)
        return next(filter(None, found), None)

    def _raws(self, names: tuple[str, ...]) -> Iterator[Raw]:
        yield from (self._values[name] for name in names if name in self._values)
        if self._around is not None:
            yield from self._around._raws(names)  # noqa: SLF001 # of the same class

    def _stated(self, names: tuple[str, ...]) -> Iterator[Scalar | list[Scalar]]:
        for name in names:
            if name in self._values:
                if name not in self._understood:
                    self._understood[name] = plain(self._values[name])
                yield self._understood[name]
        if self._around is not None:
            yield from self._around._stated(names)  # noqa: SLF001 # of the same class

    def _found(self, names: tuple[str, ...]) -> Iterator[Scalar | list[Scalar]]:
        yield from self._stated(names)
        defaults = DEFAULTS.get(self.type, {})
        yield from (defaults[name] for name in names if name in defaults)


def load(path: Path) -> Config:
    """Reads one configuration.

    Raises:
        BadModelFile: it is too long, or no JSON object.
        OSError: it cannot be read.
    """
    return Config(read_object(path, LIMIT), path=path)


def _count(value: object) -> int | None:
    """A whole number, also one written as a float or a text."""
    if isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
        return None
    return int(value)


def _text(value: object) -> str:
    return "".join(filter(str.isprintable, value[:4096])) if isinstance(value, str) else ""
