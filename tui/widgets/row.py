"""A line of a panel as plain data: pieces of text, each with the name of its ink."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""Text and the name of its ink."""


class Row(NamedTuple):
    """One line. `ground` names the ink whose background lies under the whole line."""

    spans: tuple[Span, ...] = ()
    ground: str = ""

    @property
    def width(self) -> int:
        """Cells that the text takes."""
        return sum(cell_len(text) for text, _ in self.spans)

    @property
    def text(self) -> str:
        """The line without its inks."""
        return "".join(text for text, _ in self.spans)


BLANK = Row()


def row(*spans: Span) -> Row:
    """A line of these pieces; empty ones are left out."""
    return Row(tuple(span for span in spans if span[0]))


def clip(text: str, width: int) -> str:
    """The text in at most `width` cells; what is cut off shows as "…"."""
    if len(text) <= width and text.isascii():
        return text
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def left(text: str, width: int) -> str:
    """The text at the left of exactly `width` cells."""
    return set_cell_size(clip(text, width), width)


def right(text: str, width: int) -> str:
    """The text at the right of exactly `width` cells."""
    clipped = clip(text, width)
    return " " * (width - cell_len(clipped)) + clipped


def length(spans: Iterable[Span]) -> int:
    """Cells that the pieces take together."""
    return sum(cell_len(text) for text, _ in spans)


def parts(width: int, gap: int, pieces: Sequence[tuple[int, Sequence[Span]]]) -> Row:
    """Pieces side by side, `gap` cells apart; those of the highest number go first when room is short.

    Each piece is its number (0 never goes) and its spans.
    """
    kept = [piece for piece in pieces if length(piece[1])]
    while kept:
        total = sum(length(spans) for _, spans in kept) + gap * (len(kept) - 1)
        worst = max(number for number, _ in kept)
        if total <= width or worst == 0:
            break
        kept.pop(max(index for index, (number, _) in enumerate(kept) if number == worst))
    spans: list[Span] = []
    for _, piece in kept:
        if spans:
            spans.append((" " * gap, "text"))
        spans.extend(piece)
    return row(*spans)


def wrap(text: str, width: int, lines: int, ink: str) -> list[Row]:
    """A sentence on at most `lines` lines, broken at blanks."""
    done: list[str] = []
    rest = " ".join(text.split())
    while rest and len(done) < lines:
        if cell_len(rest) <= width or len(done) == lines - 1:
            done.append(clip(rest, width))
            break
        cut = rest.rfind(" ", 0, width + 1)
        cut = width if cut <= 0 else cut
        done.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return [row((line, ink)) for line in done]
