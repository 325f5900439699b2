"""A process of this machine, by its command line."""

from msgspec import Struct


class Process(Struct, frozen=True):
    """Who listens somewhere, or has started who does."""

    pid: int
    command: tuple[str, ...]
    """Its arguments, the program first."""
    name: str
    libraries: tuple[str, ...] = ()
    """Loaded shared objects that tell an engine inside another program."""

    @property
    def program(self) -> str:
        """The name of its program, in lower case, without folders and without ".exe"."""
        first = self.command[0] if self.command else self.name
        return first.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")

    def option(self, *names: str) -> str | None:
        """The value of the last of these options, written as `--name value`, `--name=value` or `--na_me value`."""
        value = None
        for here, following in zip(self.command, (*self.command[1:], ""), strict=True):
            name, equals, rest = here.partition("=")
            if name.replace("_", "-") in names:
                value = rest if equals else following
        return value

    def number(self, *names: str) -> int | None:
        """The value of such an option where it is a whole number."""
        value = self.option(*names) or ""
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None
