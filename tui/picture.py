"""The screen as a file."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


def save(app: "App[None]") -> None:
    """Writes the screen as SVG into the current folder, or else the home folder, and says where."""
    name = time.strftime("llmtop-%Y%m%d-%H%M%S.svg")
    for folder in (Path.cwd(), Path.home()):
        try:
            path = app.save_screenshot(name, str(folder))
        except OSError:
            continue
        app.notify(path, title="picture saved", markup=False)
        return
    app.notify("Neither the current folder nor the home folder can be written.", severity="error")
