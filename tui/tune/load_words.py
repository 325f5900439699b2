"""What is asked: prompts that mean nothing and never begin alike, so that no cache can help."""

import random

from msgspec import Struct

from ..demo.vocabulary import SYLLABLES

SHORT_WORDS, LONG_WORDS, LEAST_WORDS = 12, 600, 24
"""A made-up word takes two to three tokens."""
ANSWER_TOKENS, LEAST_ANSWER = 512, 32
ENDLESS = frozenset({"llama.cpp", "llamafile", "vLLM", "SGLang"})
"""Engines that take `ignore_eos` beside the fields of OpenAI."""
UNCACHED = frozenset({"llama.cpp", "llamafile"})
"""Those that take `cache_prompt`."""


class Size(Struct):
    """How much is asked for; it shrinks where an engine has no room for it."""

    words: int = LONG_WORDS
    answer: int = ANSWER_TOKENS

    def shrink(self) -> bool:
        """Halves both; False when they are as small as they may be."""
        small = self.words <= LEAST_WORDS and self.answer <= LEAST_ANSWER
        self.words, self.answer = max(self.words // 2, LEAST_WORDS), max(self.answer // 2, LEAST_ANSWER)
        return not small


class Words:
    """Prompts of one stream. No two of them begin with the same words."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def prompt(self, count: int) -> str:
        """So many words."""
        return " ".join("".join(self._random.choices(SYLLABLES, k=3)) for _ in range(count))

    def some(self, most: int) -> int:
        """From an eighth of `most` on: streams that begin together do not end together."""
        return self._random.randint(max(most // 8, 1), most)


def body(
    prompt: str, answer: int, *, chat: bool, model: str | None, engine: str | None, plain: bool
) -> dict[str, object]:
    """A request to /v1/completions, or to /v1/chat/completions; `plain` leaves out what some engine may not know."""
    found: dict[str, object] = {"max_tokens": answer, "stream": True}
    if model:
        found["model"] = model
    if chat:
        found["messages"] = [{"role": "user", "content": prompt}]
    else:
        found["prompt"] = prompt
    if plain:
        return found
    found["stream_options"] = {"include_usage": True}
    if engine in ENDLESS:
        found["ignore_eos"] = True
    if engine in UNCACHED:
        found["cache_prompt"] = False
    return found
