"""What the command line says when it does not do what was asked: one line."""


class Refusal(Exception):
    """It cannot be done; the text is one line that says why and what to do."""


class WrongUsage(Exception):
    """The command line asks for what does not exist."""
