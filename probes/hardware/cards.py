"""Several cards read side by side: one that hangs keeps nobody waiting."""

import threading
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol

from ..sample import Device

PATIENCE_S = 0.5
"""Seconds that a reading waits for a card; one that is late is waited for no more until it has answered."""
_BRIEF_S = 0.05
"""Seconds that a reading waits for a card that was late for the one before: what it said since then is told instead.
Cards that take no longer share a thread, for to hand each to one of its own costs more than to read it."""


class Card(Protocol):
    """One card, read by one thread at a time."""

    def known(self) -> tuple[Device, ...]:
        """What can be said of it without asking its driver: at least an id and a name."""
        ...

    def read(self) -> tuple[Device, ...]:
        """One reading: the card, and the parts that it is shared out in. May block; trouble stands in the devices."""
        ...


class Cards:
    """The cards of one vendor.

    Those that answer at once are read by one thread, the others, and all at their first reading, each by one of its
    own. The threads are daemons and end with the process.
    """

    def __init__(
        self, cards: Sequence[Card], *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._desks = [_Desk(card, clock) for card in cards]
        self._common = _Reader()
        self._patience_s = patience_s
        self._clock = clock

    def __len__(self) -> int:
        return len(self._desks)

    def read(self) -> tuple[Device, ...]:
        """All cards in their order. Of one that is late, what lasts, and for how long it has been silent."""
        asked = [desk for desk in self._desks if desk.ask()]
        swift = [desk for desk in asked if desk.swift]
        slow = [desk for desk in asked if not desk.swift]
        self._apart(slow)
        if swift:
            self._common.begin(swift)
        until = self._clock() + self._patience_s
        if swift and not swift[-1].wait(until - self._clock()):
            self._rescue(swift)
        for desk in slow:
            desk.wait(until - self._clock())
        return tuple(device for desk in self._desks for device in desk.newest())

    @staticmethod
    def _apart(desks: Sequence["_Desk"]) -> None:
        for desk in desks:
            desk.reader.begin([desk])

    def _rescue(self, row: Sequence["_Desk"]) -> None:
        """Leaves the thread that is held up to the card that does so, and reads those behind it side by side."""
        self._common.leave()
        self._common = _Reader()
        behind = [desk for desk in row if not desk.begun]
        self._apart(behind)
        until = self._clock() + self._patience_s
        for desk in behind:
            desk.wait(until - self._clock())


class _Reader:
    """A thread that reads a row of desks each time that it is told to."""

    def __init__(self) -> None:
        self._row: Sequence[_Desk] = ()
        self._asked = Event()
        self._left = False
        self._thread: Thread | None = None

    def begin(self, row: Sequence["_Desk"]) -> None:
        self._row = row
        self._asked.set()
        if self._thread is None:
            self._thread = Thread(target=self._serve, name="card", daemon=True)
            self._thread.start()

    def leave(self) -> None:
        """Reads nothing more than the card that it is at."""
        self._left = True

    def _serve(self) -> None:
        while not self._left:
            self._asked.wait()
            self._asked.clear()
            for desk in self._row:
                if self._left:
                    return
                desk.serve()


class _Desk:
    """Where one card is asked, and where its answer lies."""

    def __init__(self, card: Card, clock: Callable[[], float]) -> None:
        self.reader = _Reader()
        """For when it is not read with the others."""
        self._card = card
        self._clock = clock
        self._answered = Event()
        self._answer: tuple[Device, ...] | None = None
        self._took_s: float | None = None
        self._late = False
        self._belated: tuple[Device, ...] | None = None
        """What came too late for the reading before."""
        self._since: float | None = None
        self._claim = Lock()
        self._claimed = True
        self._told = False

    @property
    def swift(self) -> bool:
        """Whether it answered at once when it was read last."""
        return not self._late and self._took_s is not None and self._took_s <= _BRIEF_S

    @property
    def begun(self) -> bool:
        """Whether a thread is at it, or was."""
        return self._claimed

    def ask(self) -> bool:
        """Asks, unless the card still owes an answer."""
        if self._since is not None and not self._answered.is_set():
            self._belated = None
            return False
        self._belated = self._answer if self._late else None
        self._answered.clear()
        self._since = self._clock()
        self._claimed = False
        return True

    def wait(self, seconds: float) -> bool:
        """Whether it has answered within so many seconds."""
        return self._answered.wait(max(min(seconds, _BRIEF_S) if self._belated else seconds, 0.0))

    def newest(self) -> tuple[Device, ...]:
        self._late = not self._answered.is_set()
        if not self._late and self._answer is not None:
            return self._answer
        if self._belated:
            return self._belated
        silent_s = self._clock() - (self._since or 0.0)
        words = f"its driver has not answered for {silent_s:.0f} s" if silent_s >= 1 else "its driver does not answer"
        return tuple(device.lasting(words) for device in self._answer or self._card.known())

    def serve(self) -> None:
        """Reads the card, unless another thread is at it."""
        with self._claim:
            if self._claimed:
                return
            self._claimed = True
        began = monotonic()
        try:
            self._answer = self._card.read()
        except Exception as fault:  # noqa: BLE001 - one card that cannot be read must not silence the others' reader
            self._answer = self._failed(fault)
        self._took_s = monotonic() - began
        self._answered.set()

    def _failed(self, fault: Exception) -> tuple[Device, ...]:
        """What lasts, and that it was our fault; the details go where those of other threads go, once."""
        if not self._told:
            self._told = True
            crash = threading.ExceptHookArgs((type(fault), fault, fault.__traceback__, threading.current_thread()))
            threading.excepthook(crash)
        words = f"a fault in llmtop while it was read ({type(fault).__name__})"
        return tuple(device.lasting(words) for device in self._answer or self._card.known())
