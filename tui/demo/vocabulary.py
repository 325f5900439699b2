"""A vocabulary in the manner of SentencePiece: bytes, printable ASCII, then made-up words."""

import itertools
from collections.abc import Iterator

from .shape import RESERVED

SPACE = "▁"
SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def _words() -> Iterator[str]:
    yield SPACE
    yield from (chr(code) for code in range(33, 127))
    yield from SYLLABLES
    yield from (SPACE + syllable for syllable in SYLLABLES)
    for count in itertools.count(2):
        for syllables in itertools.product(SYLLABLES, repeat=count):
            yield SPACE + "".join(syllables)


def tokens(count: int) -> tuple[list[str], list[float], list[int]]:
    """Texts, scores and types of `count` tokens; the first `RESERVED` are no text.

    Raises:
        ValueError: too few for every byte and every letter.
    """
    if count < RESERVED + 95:
        raise ValueError(f"a vocabulary needs {RESERVED + 95} tokens or more, not {count}")
    words = list(itertools.islice(_words(), count - RESERVED))
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    scores = [0.0] * RESERVED + [-float(rank) for rank in range(len(words))]
    types = [UNKNOWN, CONTROL, CONTROL, *[BYTE] * 256, *[NORMAL] * len(words)]
    return texts, scores, types
