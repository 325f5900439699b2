"""Asking `llmtop predict` inside the test's own process."""

from llmtop.tui.arguments import parser
from llmtop.tui.asked import Asked, asked


def ask(*flags: str) -> Asked:
    """What the flags of `llmtop predict` come to."""
    return asked(parser().parse_args(["predict", *flags]))


def ask_for(hardware: str, model: str, *flags: str) -> Asked:
    """The same with the two that are nearly always there."""
    return ask("--hardware", hardware, "--model", model, *flags)
