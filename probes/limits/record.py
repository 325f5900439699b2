"""What has to be put back, told to the disk and to the watchdog."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .contract import LimitError
from .guard import Guard
from .journal import Entry, Journal, line, now


class Record:
    """The journal of this process and its watchdog, which are told the same."""

    def __init__(
        self, entries: Sequence[Entry], folder: Path, locks: Sequence[int], lost: Callable[[str], None]
    ) -> None:
        """Starts the watchdog; see `Guard` for `locks` and `lost`.

        Raises:
            LimitError: it does not start.
        """
        self._journal = Journal.of_this_process(folder)
        self.guard = Guard(self._journal.path, locks, lost)
        self.guard.start(line(now(tuple(entries))))

    def note(self, entries: Sequence[Entry]) -> None:
        """Returns when disk and watchdog have it.

        Raises:
            LimitError: one of them does not take it.
        """
        state = now(tuple(entries))
        try:
            self._journal.write(state)
        except OSError as error:
            folder = self._journal.path.parent
            raise LimitError(f"{folder} takes no journal ({error.strerror}), so no limit stays changed") from None
        self.guard.tell(line(state))

    def note_if_possible(self, entries: Sequence[Entry]) -> None:
        """A disk that is full or a watchdog that is gone is no reason not to give back."""
        state = now(tuple(entries))
        with suppress(OSError):
            self._journal.write(state)
        with suppress(LimitError):
            self.guard.tell(line(state))
