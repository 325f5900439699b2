"""CTranslate2: a callback at each token, and the steps of its iterators.

It calls back for greedy search and sampling alone (beam_size=1), from threads of its own, with a GenerationStepResult.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from .generation import Generation
from .switch import harmless

_S = TypeVar("_S")
Callback = Callable[[Any], object]
"""Takes a GenerationStepResult, and ends the generation by answering True."""


def callback(seen: Generation, then: Callback | None = None) -> Callback | None:
    """For `callback=` of `generate_batch` and `translate_batch`.

    Args:
        seen: where it counts. A batch wants its size there: `hook.generation(…, streams=len(prompts))`.
        then: the user's own callback, which decides whether generation goes on.

    Returns:
        The callback; where nothing counts, `then` as it was.
    """
    if not seen.counting:
        return then

    def step(result: object) -> object:
        _count(seen, result)
        return then(result) if then is not None else False  # True would end the generation

    return step


def steps(seen: Generation, results: Iterable[_S]) -> Iterator[_S]:
    """The same results, for `generate_tokens`."""
    for result in results:
        _count(seen, result)
        yield result


@harmless
def _count(seen: Generation, result: object) -> None:
    seen.token()
    if getattr(result, "is_last", False):
        seen.ended()
