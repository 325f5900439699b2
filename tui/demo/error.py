"""What a person is told when there can be no demo."""


class DemoError(Exception):
    """The demo cannot start. Its text is one line that says why and, if there is something to do, what."""


def missing_extra() -> DemoError:
    """The error for a package of the extra `demo` that is not installed."""
    return DemoError("llmtop demo needs the extra \"demo\": pip install 'llmtop-tui[demo]'")
