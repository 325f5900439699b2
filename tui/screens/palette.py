"""The command palette: the table of commands by name."""

from collections.abc import Awaitable, Callable

from textual.command import DiscoveryHit, Hit, Hits, Provider

from ..commands import FIT, TUNE, Command, available

FIT_SCREEN, TUNE_SCREEN = "fit", "tune"
"""Names of the screens that have commands of their own."""
OWN = {FIT_SCREEN: FIT, TUNE_SCREEN: TUNE}


class Palette(Provider):
    """Finds commands."""

    def _commands(self) -> list[Command]:
        replay = bool(self.app.check_action("seek", ()))
        commands = OWN.get(self.screen.name or "") or available(replay=replay)
        return [command for command in commands if not command.action.endswith("command_palette")]

    async def discover(self) -> Hits:
        """All commands, before anything is typed."""
        for command in self._commands():
            yield DiscoveryHit(f"{command.title}  ({command.shown})", self._run(command), help=command.help)

    async def search(self, query: str) -> Hits:
        """The commands that match."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = max(matcher.match(command.title), matcher.match(command.help) * 0.5)
            if score > 0:
                title = f"{command.title}  ({command.shown})"
                yield Hit(score, matcher.highlight(title), self._run(command), help=command.help)

    def _run(self, command: Command) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.app.run_action(command.action, self.screen if self.screen.name in OWN else self.app)

        return run
