"""The one big number: digits three lines high."""

GLYPHS: dict[str, tuple[str, str, str]] = {
    "0": ("█▀█", "█ █", "▀▀▀"),
    "1": ("▀█ ", " █ ", "▀▀▀"),
    "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"),
    "4": ("█ █", "▀▀█", "  ▀"),
    "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"),
    "7": ("▀▀█", "  █", "  ▀"),
    "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"),
    ".": (" ", " ", "▀"),
    "–": ("   ", "▀▀▀", "   "),
    "-": ("   ", "▀▀▀", "   "),
    "~": ("   ", "▄▀▄", "   "),
    "k": ("█ ▄", "█▀▄", "▀ ▀"),
    " ": (" ", " ", " "),
}


def big(text: str) -> tuple[str, str, str]:
    """The text as three lines of equal length; characters without a big form are left out."""
    glyphs = [GLYPHS[character] for character in text if character in GLYPHS]
    top, middle, bottom = (" ".join(glyph[line] for glyph in glyphs) for line in range(3))
    return top, middle, bottom
