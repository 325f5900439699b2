"""Random weights, straight in their stored form."""

from collections.abc import Iterator

from msgspec import Struct

from .shape import RESERVED, Shape

_CHUNK = 1 << 20
_POOL = 8 << 20
_BLOCKS = {"Q4_0": (32, 18), "Q8_0": (32, 34), "F16": (1, 2), "F32": (1, 4)}
"""Weights and bytes of one stored block."""
_SPREAD = {"Q4_0": 4.61, "Q8_0": 73.9}
"""Standard deviation of the integers that random bits make."""


class Tensor(Struct, frozen=True):
    """One tensor to write."""

    name: str
    shape: tuple[int, ...]
    """Rows first; the last one is stored contiguously."""
    kind: str
    """How it is stored: one of `QUANTIZATIONS`."""
    silent: int = 0
    """Rows at the start that are zero."""
    ones: bool = False
    """All one instead of random."""

    @property
    def row_bytes(self) -> int:
        """Bytes of one row.

        Raises:
            ValueError: a row is no whole number of blocks.
        """
        weights, size = _BLOCKS[self.kind]
        if self.shape[-1] % weights:
            raise ValueError(f"{self.name}: {self.shape[-1]} columns, but {self.kind} stores {weights} at a time")
        return self.shape[-1] // weights * size

    @property
    def bytes(self) -> int:
        """Bytes of the whole tensor."""
        size = self.row_bytes
        for rows in self.shape[:-1]:
            size *= rows
        return size


def tensors(shape: Shape, kind: str) -> Iterator[Tensor]:
    """All tensors of a model, in the order of the file.

    Tokens that are no text get zero rows in the output head: their logit of 0 is never among the best ones, so a
    generated stream is whole UTF-8 with a piece of text for every token.
    """
    width, ffn = shape.width, shape.feed_forward
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    yield Tensor("token_embd.weight", (shape.vocabulary, width), kind, silent=RESERVED if shape.tied else 0)
    yield Tensor("output_norm.weight", (width,), "F32", ones=True)
    if not shape.tied:
        yield Tensor("output.weight", (shape.vocabulary, width), kind, silent=RESERVED)
    experts = (shape.experts,) if shape.experts else ()
    suffix = "_exps" if shape.experts else ""
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield Tensor(f"{block}attn_norm.weight", (width,), "F32", ones=True)
        yield Tensor(f"{block}attn_q.weight", (queries, width), kind)
        yield Tensor(f"{block}attn_k.weight", (keys, width), kind)
        yield Tensor(f"{block}attn_v.weight", (keys, width), kind)
        yield Tensor(f"{block}attn_output.weight", (width, queries), kind)
        yield Tensor(f"{block}ffn_norm.weight", (width,), "F32", ones=True)
        if shape.experts:
            yield Tensor(f"{block}ffn_gate_inp.weight", (shape.experts, width), "F32")
        yield Tensor(f"{block}ffn_gate{suffix}.weight", (*experts, ffn, width), kind)
        yield Tensor(f"{block}ffn_up{suffix}.weight", (*experts, ffn, width), kind)
        yield Tensor(f"{block}ffn_down{suffix}.weight", (*experts, width, ffn), kind)


class Weights:
    """Draws the bytes of tensors. A pool of random blocks is cut anew for every MiB: that is as fast as the disk.

    Every matrix gets a standard deviation of one over the root of its columns, so that activations stay finite.
    """

    def __init__(self, seed: int) -> None:
        from numpy.random import default_rng  # noqa: PLC0415 # numpy is loaded by those who write only

        self._random = default_rng(seed)
        self._pools: dict[tuple[str, int], memoryview] = {}

    def chunks(self, tensor: Tensor) -> Iterator[memoryview]:
        """The bytes of a tensor, at most 1 MiB at a time."""
        if tensor.ones:
            from numpy import ones  # noqa: PLC0415

            yield memoryview(ones(tensor.shape, "<f4").tobytes())
            return
        silent = tensor.silent * tensor.row_bytes
        if silent:
            yield memoryview(bytes(silent))
        _, block = _BLOCKS[tensor.kind]
        pool = self._pool(tensor.kind, tensor.shape[-1])
        left = tensor.bytes - silent
        while left:
            start = int(self._random.integers(_POOL // 2 // block)) * block
            count = min(left, _CHUNK // block * block)
            yield pool[start : start + count]
            left -= count

    def _pool(self, kind: str, columns: int) -> memoryview:
        from numpy import float16, float32, frombuffer, uint8  # noqa: PLC0415

        known = self._pools.get((kind, columns))
        if known is None:
            deviation = columns**-0.5
            _, block = _BLOCKS[kind]
            if kind in _SPREAD:
                blocks = frombuffer(bytearray(self._random.bytes(_POOL // block * block)), uint8).reshape(-1, block)
                blocks[:, :2] = frombuffer(float16(deviation / _SPREAD[kind]).tobytes(), uint8)
                known = memoryview(blocks.tobytes())
            else:
                normal = self._random.standard_normal(_POOL // block, float32) * float32(deviation)
                known = memoryview(normal.astype(float16 if kind == "F16" else float32).tobytes())
            self._pools[kind, columns] = known
        return known
