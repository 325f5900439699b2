"""How many tokens a piece of a stream holds, learnt from answers whose end told it."""

FEWEST_PIECES = 8
"""Below, the first and the last piece weigh too much: they often hold none."""
_LEAST, _MOST = 0.25, 32.0
_NEAR = 0.1
"""An answer of single tokens has a few that are not seen, as the one that ends it."""


class Pace:
    """One until something is learnt: most engines send each token by itself."""

    __slots__ = ("tokens",)

    def __init__(self) -> None:
        self.tokens = 1.0
        """Per piece."""

    def learn(self, pieces: int, tokens: int) -> None:
        """An answer of so many pieces had so many tokens; half of it is believed at once."""
        if pieces >= FEWEST_PIECES:
            seen = min(max(tokens / pieces, _LEAST), _MOST)
            self.tokens = 1.0 if abs(seen - 1) < _NEAR else (self.tokens + seen) / 2
