"""What a person sees while the demo gets ready; on standard error, and nothing where that is no terminal."""

from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def show_progress(text: str) -> Generator[Callable[[float], None]]:
    """A bar; the function that it hands out takes the share that is done, 0-1."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def show_status(text: str) -> Generator[None]:
    """A line that goes away when the work is done."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
