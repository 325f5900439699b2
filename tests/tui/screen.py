"""What stands on the screen, as plain lines."""

import html
import re

from rich.cells import set_cell_size
from textual.app import App

CELL = 12.2
"""Width of a character in the exported picture."""

PIECE = re.compile(r'<text[^>]*?x="([\d.]+)"[^>]*?clip-path="url\(#[^)]*line-(\d+)\)">([^<]*)</text>')


def text(app: App[None]) -> str:
    """The screen of the app, line by line."""
    lines: dict[int, str] = {}
    for x, y, content in PIECE.findall(app.export_screenshot()):
        line = lines.get(int(y), "")
        at = round(float(x) / CELL)
        shown = html.unescape(content).replace("\xa0", " ")
        lines[int(y)] = set_cell_size(line, at) + shown
    return "\n".join(lines.get(number, "").rstrip() for number in range(max(lines, default=-1) + 1)) + "\n"
