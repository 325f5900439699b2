"""The one table of what a person can do: key, palette entry and help line come from here."""

# ruff: noqa: E501 # a table is read by its rows
from typing import Literal, NamedTuple

Group = Literal["Look", "Engines", "Panels", "Display", "Recording"]


class Command(NamedTuple):
    """One thing that a person can do."""

    keys: str
    """Keys as Textual names them, with commas between."""
    shown: str
    """The keys as a person reads them."""
    action: str
    title: str
    """Palette entry."""
    help: str
    group: Group
    short: str = ""
    """The word in the bottom line; without one it is not there."""

    @property
    def replay_only(self) -> bool:
        """Whether it makes sense with a recording only."""
        return self.group == "Recording"


COMMANDS: tuple[Command, ...] = (
    Command("question_mark,f1", "?", "help", "Help", "All keys, and what the colours say.", "Look", "help"),
    Command("d", "d", "inspect", "Details of the engine", "Where each number comes from, and how often it moves.", "Look", "details"),
    Command("m", "m", "measure", "Measure the memory bandwidth", "Uses all cores for some 10 s; asks first.", "Look", "measure"),
    Command("p,space", "p", "pause", "Pause or go on", "Freezes the picture; reading goes on.", "Look", "pause"),
    Command("ctrl+p", "^p", "command_palette", "Command palette", "Everything by name.", "Look"),
    Command("q,ctrl+c,ctrl+q", "q", "quit", "Quit", "Ends llmtop.", "Look", "quit"),
    Command("up,k", "↑ k", "step(-1)", "One row up", "One row up in the list.", "Engines"),
    Command("down,j", "↓ j", "step(1)", "One row down", "One row down in the list.", "Engines"),
    Command("pageup", "PgUp", "page(-1)", "One page up", "One page up in the list.", "Engines"),
    Command("pagedown", "PgDn", "page(1)", "One page down", "One page down in the list.", "Engines"),
    Command("home,g", "Home g", "page(-1000000)", "First row", "To the first row.", "Engines"),
    Command("end,G", "End G", "page(1000000)", "Last row", "To the last row.", "Engines"),
    Command("enter", "Enter", "choose", "Show this engine", "Shows the engine under the cursor in the upper panel.", "Engines"),
    Command("slash", "/", "filter", "Filter the engines", "Filters as you type, by engine, address, model or state.", "Engines", "filter"),
    Command("o", "o", "sort", "Sort by the next column", "Sorts by the next column; a click on a heading does too.", "Engines", "sort"),
    Command("r", "r", "rescan", "Look for engines now", "Looks for engines now instead of in a few seconds.", "Engines", "rescan"),
    Command("1", "1", "maximise(0)", "Only the engine in focus", "The upper panel on the whole screen, and back.", "Panels"),
    Command("2", "2", "maximise(1)", "Only the engines", "The engines on the whole screen, and back.", "Panels"),
    Command("3", "3", "maximise(2)", "Only the devices", "The devices on the whole screen, and back.", "Panels"),
    Command("4", "4", "maximise(3)", "Only the events", "The events on the whole screen, and back.", "Panels"),
    Command("escape", "Esc", "restore", "All panels", "Clears the filter, and shows all panels again.", "Panels"),
    Command("t", "t", "next_theme", "Dark or light", "The other one of llmtop's themes.", "Display", "theme"),
    Command("T", "T", "change_theme", "Choose a theme", "Any theme, from a list.", "Display"),
    Command("plus,equals_sign", "+", "pace(1)", "Slower", "A longer interval between two readings.", "Display"),
    Command("minus", "-", "pace(-1)", "Faster", "A shorter interval between two readings.", "Display"),
    Command("s", "s", "save_picture", "Save a picture", "Writes the screen as SVG into the current folder.", "Display"),
    Command("left", "←", "seek(-10)", "10 s back", "10 s back in the recording.", "Recording"),
    Command("right", "→", "seek(10)", "10 s on", "10 s on in the recording.", "Recording"),
    Command("less_than_sign,comma", "<", "speed(-1)", "Play slower", "Half the speed.", "Recording"),
    Command("greater_than_sign,full_stop", ">", "speed(1)", "Play faster", "Double the speed.", "Recording"),
)  # fmt: skip

INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between two readings that `+` and `-` step through."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Speeds of a recording that `<` and `>` step through."""


def stepped(values: tuple[float, ...], current: float, step: int) -> float:
    """The neighbour of `current` in `values`, at the ends the end."""
    nearest = min(range(len(values)), key=lambda index: abs(values[index] - current))
    return values[min(max(nearest + step, 0), len(values) - 1)]


def available(*, replay: bool) -> list[Command]:
    """The commands that make sense now."""
    return [command for command in COMMANDS if replay or not command.replay_only]
