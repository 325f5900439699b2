"""The bottom line: the keys that matter most; a click does what the key does."""

from collections.abc import Sequence

from textual import events

from ..commands import Command
from .painted import Painted
from .row import Row, Span, row


class Keys(Painted):
    """One line at the bottom."""

    def __init__(self, commands: Sequence[Command], *, id: str | None = None) -> None:  # noqa: A002 # Textual's name
        super().__init__(id=id)
        self._commands = commands
        self._targets: list[tuple[int, int, str]] = []

    def paint(self, width: int, height: int) -> Sequence[Row]:
        """The keys that fit."""
        del height
        spans: list[Span] = []
        self._targets = []
        x = 0
        shown = [command for command in self._commands if command.short]
        shown.sort(key=lambda command: command.short not in {"help", "quit", "back"})
        for command in shown:
            took = len(command.shown) + len(command.short) + 3
            if x + took > width:
                break
            spans += [(command.shown, "key"), (f" {command.short}  ", "dim")]
            self._targets.append((x, x + took - 2, command.action))
            x += took
        return (row(*spans),)

    async def on_click(self, event: events.Click) -> None:
        """Runs what was clicked."""
        at = event.get_content_offset(self)
        if at is None:
            return
        for start, end, action in self._targets:
            if start <= at.x < end:
                await self.app.run_action(action, self.screen if self.screen.is_modal else self.app)
