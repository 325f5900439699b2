"""transformers: a streamer, which sees the prompt and then each token of each row, and a stopping criterion.

`generate` gives both each step of a batch, whatever its size. A streamer cannot go with beam search, a criterion can.
The logits processors see a step before it is decided, and in assisted generation those that are thrown away.
"""

from collections.abc import Iterable
from typing import Any

from .generation import Generation
from .switch import harmless

Tensor = Any
"""Of torch, which is not imported here."""
Sink = Any
"""What has `put` and `end`: transformers.generation.BaseStreamer, or what looks like it."""


class Streamer:
    """For `streamer=`. Counts exactly for one sequence, and for a batch where it knows the tokens that end one."""

    def __init__(self, seen: Generation, then: Sink | None = None, end: int | Iterable[int] | None = None) -> None:
        """Counts nothing yet.

        Args:
            seen: where it counts.
            then: the user's own streamer, which gets the same.
            end: tokens that end a sequence: `model.generation_config.eos_token_id`. In a batch, rows that have ended go
                on as padding; without this it counts too, as an estimate.
        """
        self._seen = seen
        self._then = then
        self._ends: frozenset[int] = frozenset()
        self._rows: list[bool] | None = None
        """Of each row, whether it goes on; None before the prompt."""
        self._end_with(end)

    def put(self, value: Tensor) -> None:
        """The prompt at the first call, then what a step has brought."""
        self._count(value)
        if self._then is not None:
            self._then.put(value)

    def end(self) -> None:
        """Generation is over."""
        if self._then is not None:
            self._then.end()

    @harmless
    def _end_with(self, end: Tensor) -> None:
        told: int | list[int] | None = end.tolist() if hasattr(end, "tolist") else end
        self._ends = frozenset((told,) if isinstance(told, int) else told or ())

    @harmless
    def _count(self, value: Tensor) -> None:
        seen, shape = self._seen, tuple(value.shape)
        if self._rows is None:
            rows, length = shape if len(shape) == 2 else (1, shape[0])
            if not seen.prompt_tokens:
                seen.prompt(rows * length)
            seen.batch(rows)
            self._rows = [True] * rows
        elif len(shape) == 2:  # assisted: what was right of a guess, of the only row
            seen.tokens(shape[0] * shape[1])
        else:
            if shape[0] != len(self._rows):  # several answers for each prompt
                seen.batch(shape[0])
                self._rows = [True] * shape[0]
            self._step(self._rows, value)

    def _step(self, rows: list[bool], value: Tensor) -> None:
        if len(rows) == 1 or not self._ends:
            self._seen.tokens(len(rows), estimated=len(rows) > 1)
            return
        tokens: list[int] = value.tolist()
        self._seen.tokens(sum(rows))
        for row, token in enumerate(tokens):
            if rows[row] and token in self._ends:
                rows[row] = False
                self._seen.ended()


class Criterion:
    """For `stopping_criteria=[…]`, where a streamer cannot be: counts by the length of the rows, and stops nothing.

    More rows than one are an estimate: those that have ended go on as padding, and beams are searched beside others.
    """

    def __init__(self, seen: Generation, sequences: int | None = None) -> None:
        """Counts nothing yet.

        Args:
            seen: where it counts.
            sequences: how many answers there will be; with beam search, rows are more than they.
        """
        self._seen = seen
        self._sequences = sequences
        self._length: int | None = None

    def __call__(self, input_ids: Tensor, scores: object = None, **kwargs: object) -> bool:
        """After each step, with all tokens of all rows."""
        del scores, kwargs
        self._count(input_ids)
        return False

    @harmless
    def _count(self, input_ids: Tensor) -> None:
        rows, length = input_ids.shape
        sequences = self._sequences or rows
        if self._length is None:
            prompt = self._seen.prompt_tokens
            self._length = prompt if sequences == 1 and 0 < prompt < length else length - 1
            if not prompt:
                self._seen.prompt(self._length * sequences)
            self._seen.batch(sequences)
        self._seen.tokens((length - self._length) * sequences, estimated=rows > 1)
        self._length = length
