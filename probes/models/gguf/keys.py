"""The keys of a GGUF header, as what they are meant to be."""

from collections.abc import Mapping

from .header import Value

_MOST_LAYERS = 4096
_LARGEST = 1 << 40


class Keys:
    """Reads keys leniently: a value of another kind, or beyond all sense, is as good as none."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values
        self.architecture = self.text("general.architecture")
        """"llama", "gemma3": the keys of the model begin so."""
        blocks, extra = self.of_model("block_count"), self.of_model("nextn_predict_layers") or 0
        self.layers = None if blocks is None or blocks > _MOST_LAYERS else blocks - extra if extra < blocks else blocks
        """Layers that plain decoding uses: the last ones may be for multi-token prediction."""
        self.all_layers = blocks

    def text(self, key: str) -> str | None:
        """A text, without what a terminal would obey."""
        value = self._values.get(key)
        return "".join(filter(str.isprintable, value)) or None if isinstance(value, str) else None

    def whole(self, key: str) -> int | None:
        """A count; of an array of them, the mean of those that are not 0, rounded down."""
        value = self._values.get(key)
        if isinstance(value, tuple):
            counts = [_count(item) for item in value if item]
            value = sum(counts) // len(counts) if counts else 0
        return _count(value) if isinstance(value, int | float) else None

    def of_model(self, key: str) -> int | None:
        """A count of this architecture."""
        return self.whole(f"{self.architecture}.{key}")

    def each(self, key: str) -> list[int] | None:
        """One count for each layer, of a key that may hold one for all. None without the key."""
        value = self._values.get(f"{self.architecture}.{key}")
        if value is None or isinstance(value, str) or self.layers is None:
            return None
        if not isinstance(value, tuple):
            return [_count(value)] * self.layers
        counts = [_count(item) for item in value]
        return [counts[layer] if layer < len(counts) else 0 for layer in range(self.layers)]

    def flags(self, key: str) -> list[bool] | None:
        """One yes or no for each layer, of a key that holds an array; it repeats if it is too short."""
        value = self._values.get(f"{self.architecture}.{key}")
        if not isinstance(value, tuple) or not value or self.layers is None:
            return None
        return [bool(value[layer % len(value)]) for layer in range(self.layers)]

    def period(self, key: str) -> int | None:
        """A count, of a key that holds no array."""
        value = self._values.get(f"{self.architecture}.{key}")
        return _count(value) if isinstance(value, int) else None


def _count(value: float) -> int:
    return int(value) if 0 <= value <= _LARGEST else 0
