"""The one table of what a person can do: key, palette entry and help line come from here."""

# ruff: noqa: E501 # a table is read by its rows
from typing import Literal, NamedTuple

Group = Literal["Look", "Engines", "Panels", "Display", "Recording", "Models", "Question", "Rows", "Limit", "Measuring"]


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
    Command("f", "f", "fit", "What can this machine run", "Every model with its speed here, or on hardware to imagine.", "Look", "fit"),
    Command("w", "w", "tune", "Tune the power limit", "What each limit leaves of the speed; undone unless it is kept.", "Look", "tune"),
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

ANYWHERE: tuple[Command, ...] = (
    Command("ctrl+p", "^p", "app.command_palette", "Command palette", "Everything by name.", "Display"),
    Command("t", "t", "app.next_theme", "Dark or light", "The other one of llmtop's themes.", "Display"),
    Command("T", "T", "app.change_theme", "Choose a theme", "Any theme, from a list.", "Display"),
)  # fmt: skip
"""What every screen has."""

FIT: tuple[Command, ...] = (
    Command("question_mark,f1", "?", "help", "Help", "All keys, and what the columns say.", "Look", "help"),
    Command("escape,q,f", "Esc", "back", "Back to the monitor", "Leaves the line, then the filter, then this screen.", "Look", "back"),
    Command("enter", "Enter", "study", "This model in depth", "Quantisations, contexts, batches, what would help.", "Models", "depth"),
    Command("slash", "/", "filter", "Filter the models", "Filters as you type, by name, quantisation, task or place.", "Models", "filter"),
    Command("h", "h", "machine", "Imagine other hardware", "As in: 2x RTX 3090 + 64GB RAM; nothing: this machine.", "Question", "hardware"),
    Command("e", "e", "choose('engine')", "Choose the engine", "From a list of all that are known.", "Question", "engine"),
    Command("c", "c", "choose('context')", "Choose the context", "How many tokens the cache must have room for.", "Question", "context"),
    Command("v", "v", "choose('kv')", "Choose the format of the KV cache", "Fewer bits leave room for more context.", "Question", "KV"),
    Command("y", "y", "choose('speed')", "Choose the least speed", "Tokens/s that are enough; the first rows reach them.", "Question", "speed"),
    Command("w", "w", "choose('task')", "Choose what for", "Only models made for chat, code, vision, reasoning, or vectors.", "Question", "what for"),
    Command("r", "r", "again", "Look again", "With the memory that is free now, and what is on the disk now.", "Question"),
    Command("m", "m", "app.measure", "Measure the memory bandwidth", "Uses all cores for some 10 s; asks first.", "Question"),
    Command("o", "o", "sort", "Sort by the next column", "By worth, speed, memory or name; a click on a heading does too.", "Rows", "sort"),
    Command("a", "a", "everything", "All quantisations, or the best ones", "Also those that nobody would take, and what does not fit.", "Rows", "all"),
    Command("up,k", "↑ k", "step(-1)", "One row up", "One row up.", "Rows"),
    Command("down,j", "↓ j", "step(1)", "One row down", "One row down.", "Rows"),
    Command("pageup", "PgUp", "page(-1)", "One page up", "One page up.", "Rows"),
    Command("pagedown", "PgDn", "page(1)", "One page down", "One page down.", "Rows"),
    Command("home,g", "Home g", "page(-1000000)", "First row", "To the first row.", "Rows"),
    Command("end,G", "End G", "page(1000000)", "Last row", "To the last row.", "Rows"),
    *ANYWHERE,
    Command("s", "s", "app.save_picture", "Save a picture", "Writes the screen as SVG into the current folder.", "Display"),
    Command("ctrl+c,ctrl+q", "^c", "app.quit", "Quit", "Ends llmtop.", "Display"),
)  # fmt: skip
"""What the screen of `f` has: the same three uses."""

TUNE: tuple[Command, ...] = (
    Command("question_mark,f1", "?", "help", "Help", "All keys, and what the signs say.", "Look", "help"),
    Command("escape,q,w", "Esc", "back", "Back to the monitor", "A limit that is not kept is put back.", "Look", "back"),
    Command("left_square_bracket", "[", "move(-1, 0)", "Lower by a small step", "5 W, or 1 W where the range is small.", "Limit", "lower"),
    Command("right_square_bracket", "]", "move(1, 0)", "Higher by a small step", "5 W, or 1 W; a click on the slider sets it too.", "Limit", "higher"),
    Command("left_curly_bracket", "{", "move(-1, 1)", "Lower by a large step", "25 W, or 5 W where the range is small.", "Limit"),
    Command("right_curly_bracket", "}", "move(1, 1)", "Higher by a large step", "25 W, or 5 W where the range is small.", "Limit"),
    Command("s", "s", "sweep", "Measure limit after limit, or stop", "Finds the lowest that keeps enough; asks first.", "Measuring", "sweep"),
    Command("a", "a", "apply", "Set the limit that was chosen", "The lowest one that surely keeps enough.", "Limit", "apply"),
    Command("r", "r", "revert", "Put the limit back", "To what it was before.", "Limit", "revert"),
    Command("k", "k", "keep", "Keep the limit after quitting", "Asks first, and shows what undoes it.", "Limit", "keep"),
    Command("plus,equals_sign", "+", "share(1)", "Keep 1 % more of the speed", "What the chosen limit must leave.", "Measuring"),
    Command("minus", "-", "share(-1)", "Keep 1 % less of the speed", "What the chosen limit must leave.", "Measuring"),
    Command("g", "g", "load", "Make the load, or take the one that runs", "llmtop then sends requests to the engine; asks first.", "Measuring", "load"),
    Command("p", "p", "phase", "Measure decode, prefill or both", "Each has a limit of its own.", "Measuring", "phase"),
    Command("up", "↑", "scroll(-1)", "List up", "One line up in the list.", "Display"),
    Command("down", "↓", "scroll(1)", "List down", "One line down in the list.", "Display"),
    *ANYWHERE,
    Command("S", "S", "app.save_picture", "Save a picture", "Writes the screen as SVG into the current folder.", "Display"),
    Command("ctrl+c,ctrl+q", "^c", "app.quit", "Quit", "Ends llmtop; a limit that is not kept is put back.", "Display"),
)  # fmt: skip
"""What the screen of `w` has."""

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
