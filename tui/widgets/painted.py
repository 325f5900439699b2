"""A widget drawn line by line that repaints only the lines that changed."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import TRANSPARENT
from textual.css.styles import RenderStyles
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from .row import BLANK, Row

INKS = frozenset(
    {
        "accent", "bad", "bar", "bar-band", "ceiling", "ceiling-band", "ceiling-line", "cursor", "dim", "expected",
        "expected-band", "faint", "good", "good-band", "head", "heat0", "heat0-band", "heat1", "heat1-band", "heat2",
        "heat2-band", "heat3", "heat3-band", "heat4", "heat4-band", "heat5", "heat5-band", "key", "measured",
        "measured-band", "meter-bar", "paused", "power-bar", "shade", "spark", "strong", "strong-band", "text",
        "text-band", "track", "track-band", "warn", "warn-bar",
    }
)  # fmt: skip
"""Names of all inks; their looks stand in llmtop.tcss as `.ink--NAME`, resolved once on the app."""

COMPONENTS = {f"ink--{name}" for name in INKS}


class Painted(Widget):
    """Draws the rows that `paint` returns. `repaint` compares them with what is on the screen."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._canvas = Size(0, 0)
        self._styles: dict[tuple[str, str], Style] = {}
        self._strips: dict[int, Strip] = {}

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The lines for a content area of this size."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Paints again and refreshes the lines that differ."""
        size = self.content_size
        if not size.area or self._canvas != size:
            return
        rows = self.paint(size.width, size.height)
        changed = [y for y, (old, new) in enumerate(zip_longest(self._rows, rows, fillvalue=BLANK)) if old != new][
            : size.height
        ]
        if not changed:
            return
        self._rows = rows
        for y in changed:
            self._strips.pop(y, None)
        self.refresh(*(Region(0, y, size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One line of the content area."""
        size = self.content_size
        if self._canvas != size:
            self._canvas = size
            self._strips.clear()
            self._rows = self.paint(size.width, size.height)
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(self._rows[y] if y < len(self._rows) else BLANK, size.width)
        return strip

    def notify_style_update(self) -> None:
        """Forgets the inks: the theme or the look of the panel has changed."""
        super().notify_style_update()
        self._styles.clear()
        self._strips.clear()

    def _strip(self, line: Row, width: int) -> Strip:
        ground = line.ground
        segments = [
            Segment(
                text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text),
                self._ink(ink, ground),
            )
            for text, ink in line.spans
        ]
        return Strip(segments).adjust_cell_length(width, self._ink("text", ground))

    def _ink(self, name: str, ground: str) -> Style:
        style = self._styles.get((name, ground))
        if style is None:
            under = self.background_colors[1]
            if ground:
                under += self._look(ground).background
            look = self._look(name)
            if look.background != TRANSPARENT:
                under += look.background
            color = under + look.color
            style = Style(color=color.rich_color, bgcolor=under.rich_color) + look.text_style
            self._styles[name, ground] = style
        return style

    def _look(self, name: str) -> RenderStyles:
        return self.app.get_component_styles(f"ink--{name}")  # pyright: ignore[reportUnknownMemberType]
