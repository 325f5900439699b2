"""mlx-lm: the responses of `stream_generate`, each of which tells the sums so far."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from .generation import Generation
from .switch import harmless

_R = TypeVar("_R")


def responses(seen: Generation, stream: Iterable[_R]) -> Iterator[_R]:
    """The same responses. One that ends a generation repeats the sum, and is not counted twice."""
    for response in stream:
        _count(seen, response)
        yield response


def progress(seen: Generation, then: Callable[[int, int], object] | None = None) -> Callable[[int, int], None]:
    """For `prompt_progress_callback=`: tokens of the prompt that are read, and that there are."""

    def step(processed: int, total: int) -> None:
        if not seen.prompt_tokens:
            seen.prompt(total)
        seen.prefilled(processed)
        if then is not None:
            then(processed, total)

    return step


@harmless
def _count(seen: Generation, response: object) -> None:
    """What a GenerationResponse tells."""
    prompt: object = getattr(response, "prompt_tokens", None)
    generated: object = getattr(response, "generation_tokens", None)
    if isinstance(prompt, int) and prompt != seen.prompt_tokens:
        seen.prompt(prompt)
    if isinstance(generated, int):
        seen.generated(generated)
