"""Power limits on loan: whatever is done to them, they are given back."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Self

from msgspec.structs import replace

from .contract import Limit, LimitError, Vanished
from .folder import prepare, state_folder
from .giving_back import give_back
from .journal import SAME_W, Entry
from .lock import DeviceLock
from .record import Record
from .recovery import recover


class Borrowed:
    """Inside `with`, the limits may be set. Leaving it puts them back, unless `keep` was called.

    However this process ends, its watchdog puts them back; when that ends with it, `recover` does at the next start.
    A signal that ends Python without leaving the `with` is left to the watchdog. Any thread may call.
    """

    def __init__(self, limits: Sequence[Limit], folder: Path | None = None) -> None:
        """`folder` is where journal and locks lie; None means that of the user."""
        self.limits = tuple(limits)
        self._folder = folder
        self._lock = RLock()
        self._locks: list[DeviceLock] = []
        self._entries: list[Entry] = []
        self._kept = False
        self._lost = ""
        self._remarks: list[str] = []
        self._record: Record | None = None

    def __enter__(self) -> Self:
        """Takes them.

        Raises:
            LimitError: another llmtop has one of them, one cannot be read, or the watchdog does not start.
        """
        folder = self._folder or state_folder()
        prepare(folder)
        self._remarks += recover(folders=(folder,) if self._folder else None)
        try:
            for limit in self.limits:
                self._locks.append(DeviceLock(limit.address, limit.name, folder))
            self._entries = [
                Entry(address=limit.address, device=limit.device, name=limit.name, original_w=limit.read())
                for limit in self.limits
            ]
            files = [file for lock in self._locks for file in lock.descriptors]
            self._record = Record(self._entries, folder, files, self._on_lost)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Puts back what was not kept.

        Raises:
            LimitError: one could not be put back; the watchdog goes on trying, and so does the next start of llmtop.
        """
        try:
            if not self._kept:
                self.restore()
        except LimitError as error:
            if kind is None:
                raise
            self._remarks.append(str(error))
        finally:
            self._close()

    @property
    def originals_w(self) -> tuple[float, ...]:
        """Where they are put back to."""
        return tuple(entry.original_w for entry in self._entries)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What happened that a person should know, a sentence each."""
        return (*self._remarks, *(self._record.guard.remarks if self._record else ()))

    @property
    def watchdog_pid(self) -> int | None:
        """The process that watches."""
        return self._record.guard.pid if self._record else None

    def current_w(self) -> tuple[float, ...]:
        """What the devices say now.

        Raises:
            LimitError: one does not.
        """
        with self._lock:
            return tuple(limit.read() for limit in self.limits)

    def set(self, watts: Sequence[float]) -> tuple[float, ...]:
        """Sets all of them, in their order, and returns what the devices say they are at.

        Raises:
            LimitError: one was refused, or nobody watches any more; all of them are put back.
        """
        with self._lock:
            self._check()
            self._kept = False
            try:
                return tuple(self._set(index, each) for index, each in zip(range(len(self.limits)), watts, strict=True))
            except LimitError as error:
                self._undo(error)
                raise

    def restore(self) -> None:
        """Puts all of them back. What somebody else has set since is left, with a remark.

        Raises:
            LimitError: one could not be put back.
        """
        with self._lock:
            self._kept = False
            problems = [problem for index in range(len(self._entries)) if (problem := self._restore(index))]
            if self._record:
                self._record.note_if_possible(self._told())
            if problems:
                raise LimitError("; ".join(problems))

    def keep(self) -> tuple[str, ...]:
        """Leaves them as they are, and returns the commands that undo it.

        Raises:
            LimitError: it could not be noted, so they will be put back.
        """
        with self._lock:
            self._check()
            if self._record is not None:
                self._record.note(tuple(entry.untouched for entry in self._entries))
            self._kept = True
            return tuple(
                limit.command(entry.original_w)
                for limit, entry in zip(self.limits, self._entries, strict=True)
                if not entry.clean
            )

    def tick(self) -> None:
        """Looks whether the watchdog lives, for which a thread waits as well.

        Raises:
            LimitError: it is gone, and no other can be started; all limits are put back.
        """
        with self._lock:
            self._check()

    def _check(self) -> None:
        if why := self._unguarded():
            error = LimitError(why)
            self._undo(error)
            raise error

    def _unguarded(self) -> str:
        """Why nothing may be changed; empty where a watchdog lives."""
        if self._lost or self._record is None:
            return self._lost or "these power limits were given back"
        try:
            self._record.guard.check()
        except LimitError as error:
            return str(error)
        return ""

    def _set(self, index: int, watts: float) -> float:
        limit, entry = self.limits[index], self._entries[index]
        before_w = limit.read()
        if entry.clean and not entry.back(before_w):
            self._remarks.append(f"{limit.name}: somebody set its power limit to {before_w:g} W; that is put back")
            entry = replace(entry, original_w=before_w)
        elif not entry.clean and not entry.ours(before_w) and not entry.back(before_w):
            self._remarks.append(f"{limit.name}: somebody set its power limit to {before_w:g} W meanwhile")
        self._change(index, replace(entry, pending_w=watts))
        try:
            now_w = limit.write(watts)
        except LimitError:
            # What it is now may be neither what it was nor what it was to be.
            with suppress(LimitError):
                after_w = limit.read()
                if abs(after_w - before_w) > SAME_W:
                    self._entries[index] = replace(self._entries[index], written_w=after_w)
            raise
        self._change(index, replace(self._entries[index], written_w=now_w, pending_w=None))
        return now_w

    def _change(self, index: int, entry: Entry) -> None:
        """Notes it; a write that could not be noted is none."""
        before, self._entries[index] = self._entries[index], entry
        try:
            if self._record is not None:
                self._record.note(self._told())
        except LimitError:
            if entry.pending_w is not None:
                self._entries[index] = before
            raise

    def _told(self) -> tuple[Entry, ...]:
        """What has to be put back, as journal and watchdog are told it."""
        return tuple(entry.untouched if self._kept else entry for entry in self._entries)

    def _restore(self, index: int) -> str:
        """Why one could not be put back; empty when it was."""
        limit, entry = self.limits[index], self._entries[index]
        if entry.clean:
            return ""
        try:
            outcome = give_back(limit, entry)
        except Vanished as error:
            remark = f"{error}; its power limit cannot be put back to {entry.original_w:g} W"
            self._remarks += [] if remark in self._remarks else [remark]
            return ""
        except LimitError as error:
            return f"{error}; put it back: {limit.command(entry.original_w)}"
        if outcome.kind == "not ours":
            self._remarks.append(
                f"{limit.name}: somebody set its power limit to {outcome.now_w:g} W meanwhile; it is left there"
            )
        self._entries[index] = entry.untouched
        return ""

    def _undo(self, error: LimitError) -> None:
        """Puts back after trouble; more of it is remarked, not raised."""
        try:
            self.restore()
        except LimitError as further:
            if str(further) != str(error):
                self._remarks.append(str(further))

    def _on_lost(self, why: str) -> None:
        """In a thread of the guard."""
        with self._lock:
            self._lost = why
            self._undo(LimitError(why))

    def _close(self) -> None:
        with self._lock:
            record, self._record = self._record, None
        if record is not None:
            self._remarks += record.guard.remarks
            record.guard.end()
        for lock in self._locks:
            lock.release()
        self._locks.clear()
