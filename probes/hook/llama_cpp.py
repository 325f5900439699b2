"""llama-cpp-python: a stopping criterion, which sees every token, and the chunks of its streams.

Its logits processors see every token as well, but with one of them it copies all logits at each token.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, TypeVar

from .generation import Generation
from .switch import harmless

_C = TypeVar("_C")
Criteria = Callable[[Any, Any], bool]


class Criterion:
    """For `stopping_criteria=` of `create_completion`: counts exactly, and stops nothing."""

    def __init__(self, seen: Generation, then: Criteria | None = None) -> None:
        """Counts nothing yet.

        Args:
            seen: where it counts.
            then: the user's own criteria, which decide.
        """
        self._seen = seen
        self._then = then
        self._prompt: int | None = None

    def __call__(self, input_ids: Any, logits: Any) -> bool:  # noqa: ANN401  # numpy arrays
        """With all tokens that are evaluated: those of the prompt, when the first one is sampled."""
        self._count(input_ids)
        return self._then is not None and self._then(input_ids, logits)

    @harmless
    def _count(self, input_ids: Sized) -> None:
        length = len(input_ids)
        if self._prompt is None:
            self._prompt = length
            if not self._seen.prompt_tokens:
                self._seen.prompt(length)
        self._seen.generated(length - self._prompt + 1)  # it is asked once more when all is done


def chunks(seen: Generation, stream: Iterable[_C]) -> Iterator[_C]:
    """The same chunks, each with text counted as about a token: it holds back letters that are not complete.

    For `create_chat_completion(stream=True)`, which takes no stopping criteria.
    """
    for chunk in stream:
        if _speaks(chunk):
            seen.tokens(1, estimated=True)
        yield chunk


def _speaks(chunk: object) -> bool:
    """Whether there is text in it, of a completion or of a chat."""
    match chunk:
        case {"choices": [{"text": str(text)}, *_]}:
            return bool(text)
        case {"choices": [{"delta": Mapping() as delta}, *_]}:
            return any(delta.get(key) for key in ("content", "reasoning_content", "tool_calls", "function_call"))
        case _:
            return False
