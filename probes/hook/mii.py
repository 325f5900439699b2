"""DeepSpeed-MII: what its responses say of their lengths.

They come at the end of a request, so that no rate moves before. A client that streams one prompt is told at each token.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from .generation import Generation
from .switch import harmless

_L = TypeVar("_L")


def responses(seen: Generation, answers: _L) -> _L:
    """The same responses, of `pipeline(…)` and of `client.generate(…)`, counted as a whole."""
    _count(seen, answers)
    return answers


def callback(seen: Generation, then: Callable[[Any], object] | None = None) -> Callable[[Any], None]:
    """For `streaming_fn=` of `client.generate`: each response tells the lengths so far."""

    def step(answer: object) -> None:
        _follow(seen, answer)
        if then is not None:
            then(answer)

    return step


@harmless
def _count(seen: Generation, answers: object) -> None:
    found = [(_length(answer, "generated_length"), _length(answer, "prompt_length")) for answer in _listed(answers)]
    if found:
        seen.batch(len(found))
        seen.exact(generated=sum(one for one, _ in found), prompt=sum(one for _, one in found))


@harmless
def _follow(seen: Generation, answer: object) -> None:
    for one in _listed(answer):
        if not seen.prompt_tokens:
            seen.prompt(_length(one, "prompt_length"))
        seen.generated(_length(one, "generated_length"))


def _listed(answers: object) -> list[object]:
    """Several responses, or the only one."""
    return list(cast("list[object]", answers)) if isinstance(answers, list | tuple) else [answers]


def _length(answer: object, name: str) -> int:
    told: object = getattr(answer, name, None)
    return told if isinstance(told, int) else 0
