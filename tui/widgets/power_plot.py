"""A picture in cells: curves in braille, symbols over them, and a band behind all."""

from collections.abc import Sequence

from .row import Span

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille character, from the top."""
BAND = "░"
"""Shows the band where there are no colours."""


class Plot:
    """Cells are counted from the upper left; shares from the lower left corner, 0 to 1."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = max(columns, 1), max(rows, 1)
        self._dots: dict[tuple[int, int], int] = {}
        self._inks: dict[tuple[int, int], str] = {}
        self._symbols: dict[tuple[int, int], Span] = {}
        self._band: set[tuple[int, int]] = set()

    def row(self, share: float) -> int:
        """The line of a value."""
        return min(max(int((1.0 - share) * self.rows), 0), self.rows - 1)

    def symbol(self, column: int, row: int, sign: str, ink: str, *, over: bool = True) -> None:
        """One cell; `over` covers another symbol."""
        if over or (column, row) not in self._symbols:
            self._symbols[column, row] = (sign, ink)

    def write(self, column: int, row: int, words: str, ink: str) -> None:
        """Words over whatever is there, as far as they fit."""
        for at, letter in enumerate(words, column):
            if 0 <= at < self.columns:
                self._symbols[at, row] = (letter, ink)

    def curve(self, heights: Sequence[float | None], ink: str) -> None:
        """A line; two heights for each column, joined where it is steep. What is outside of the picture is left out."""
        before: int | None = None
        for x, share in enumerate(heights):
            if share is None or not 0.0 <= share <= 1.0:
                before = None
                continue
            here = self._dot_row(share)
            for y in range(min(here, before + 1), max(here, before - 1) + 1) if before is not None else (here,):
                self._dot(x, y, ink)
            before = here

    def dashes(self, share: float, ink: str) -> None:
        """A level line of every other cell."""
        y = self._dot_row(share)
        for x in range(2 * self.columns):
            if x // 2 % 2 == 0:
                self._dot(x, y, ink, over=False)

    def band(self, column: int, low: float, high: float) -> None:
        """Cells that are covered for the most part."""
        first = round((1.0 - min(high, 1.0)) * self.rows)
        last = round((1.0 - max(low, 0.0)) * self.rows)
        self._band |= {(column, row) for row in range(max(first, 0), min(last, self.rows))}

    def line(self, row: int) -> list[Span]:
        """One line of it, as few pieces as it gets."""
        spans: list[Span] = []
        for column in range(self.columns):
            sign, ink = self._cell(column, row)
            if spans and spans[-1][1] == ink:
                spans[-1] = (spans[-1][0] + sign, ink)
            else:
                spans.append((sign, ink))
        return spans

    def _cell(self, column: int, row: int) -> Span:
        at = column, row
        within = at in self._band
        found = self._symbols.get(at)
        if found is None and at in self._dots:
            found = chr(0x2800 + self._dots[at]), self._inks[at]
        if found is None:
            return (BAND, "shade") if within else (" ", "text")
        return (found[0], f"{found[1]}-band") if within else found

    def _dot_row(self, share: float) -> int:
        whole = 4 * self.rows
        return min(max(int((1.0 - share) * whole), 0), whole - 1)

    def _dot(self, x: int, y: int, ink: str, *, over: bool = True) -> None:
        at = x // 2, y // 4
        self._dots[at] = self._dots.get(at, 0) | DOTS[y % 4][x % 2]
        if over or at not in self._inks:
            self._inks[at] = ink
