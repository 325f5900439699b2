"""The shapes of models that can be made up: those of real ones, with a smaller vocabulary."""

from msgspec import Struct

QUANTIZATIONS = ("Q4_0", "Q8_0", "F16", "F32")
RESERVED = 259
"""Tokens that stand for bytes or for control: <unk>, <s>, </s> and 256 bytes."""
_BITS = {"Q4_0": 4.5, "Q8_0": 8.5, "F16": 16.0, "F32": 32.0}


class Shape(Struct, frozen=True, kw_only=True):
    """Dimensions of a model of the llama architecture. Matrix widths are multiples of 32."""

    width: int
    """Elements of one token's hidden state."""
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    vocabulary: int = 32000
    context: int = 8192
    tied: bool = False
    """Whether the output head is the embedding table."""
    experts: int = 0
    """Feed-forward networks in each layer of which `used` work on a token; 0 for a dense model."""
    used: int = 0

    @property
    def parameters(self) -> int:
        """Parameters in the matrices; the norms are left out."""
        attention = 2 * self.width * self.head_width * (self.heads + self.kv_heads)
        feed_forward = 3 * self.width * self.feed_forward * max(self.experts, 1) + self.experts * self.width
        return self.layers * (attention + feed_forward) + self.width * self.vocabulary * (1 if self.tied else 2)

    def file_bytes(self, quantization: str) -> int:
        """About the size of the file."""
        return int(self.parameters * _BITS[quantization] / 8) + 60 * self.vocabulary

    def token_bytes(self, quantization: str) -> int:
        """About the bytes that decoding one token reads, context aside."""
        embedding = 0 if self.tied else self.width * self.vocabulary
        idle = 3 * self.width * self.feed_forward * self.layers * (self.experts - self.used)
        return int((self.parameters - embedding - idle) * _BITS[quantization] / 8)


SHAPES = {
    "nano": Shape(
        width=128, layers=2, heads=4, kv_heads=2, head_width=32, feed_forward=256, vocabulary=1024, context=4096
    ),
    "nano-moe": Shape(
        width=128,
        layers=2,
        heads=4,
        kv_heads=2,
        head_width=32,
        feed_forward=128,
        vocabulary=1024,
        context=4096,
        experts=8,
        used=2,
    ),
    "0.3b": Shape(width=960, layers=32, heads=15, kv_heads=5, head_width=64, feed_forward=2560, tied=True),
    "0.6b": Shape(
        width=1024,
        layers=28,
        heads=16,
        kv_heads=8,
        head_width=128,
        feed_forward=3072,
        vocabulary=151936,
        tied=True,
    ),
    "1b": Shape(width=2048, layers=22, heads=32, kv_heads=4, head_width=64, feed_forward=5632),
    "3b": Shape(width=3072, layers=28, heads=24, kv_heads=8, head_width=128, feed_forward=8192, tied=True),
    "8b": Shape(width=4096, layers=32, heads=32, kv_heads=8, head_width=128, feed_forward=14336),
}
"""By name. The two smallest are for tests."""
