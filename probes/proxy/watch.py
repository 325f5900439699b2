"""Looks at both directions of one connection, and counts. Whatever goes wrong here ends the looking, not the relay."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress

from .exchange import Exchange
from .message import Head, Messages, NotHttp, Part

MOST_UNDER_WAY = 1000
"""Requests in a row without an answer, on one connection."""
SWITCHING = 101


class Watch:
    """Of one connection of a client, and the one to the engine that goes with it."""

    def __init__(self, begin: Callable[[Head], Exchange], edit: Callable[[bytes], bytes] | None = None) -> None:
        """Nothing has passed yet.

        Args:
            begin: opens an exchange for the head of a request.
            edit: what is to be done to heads of requests before they go on, if anything.
        """
        self._begin = begin
        self._edit = edit
        self._requests = Messages("request")
        self._answers = Messages("response")
        self._exchanges: deque[Exchange] = deque()
        self._asking: Exchange | None = None
        self._is_off = False
        self._is_deaf = False
        """Whether the client says what cannot be followed; the answers to what it said before still are."""

    @property
    def is_busy(self) -> bool | None:
        """Whether an answer is outstanding; None where that cannot be told."""
        return True if self._exchanges else None if self._is_off or self._is_deaf else False

    @property
    def tells_its_end(self) -> bool:
        """Whether the client can tell by itself that an answer which breaks off now is not whole."""
        return not (self._is_off or self._answers.ends_with_connection)

    def asked(self, data: bytes) -> bytes:
        """Bytes of the client. Returns what goes on to the engine; without `edit` that is not to be looked at."""
        if self._is_off or self._is_deaf:
            return self.release() + data
        on = bytearray()
        try:
            for part in self._requests.parts(data):
                if self._edit is not None:
                    on += part.raw if part.head is None else self._edit(part.raw)
                self._ask(part)
        except Exception:  # noqa: BLE001  # an error in counting is never the reason that an answer breaks
            on += self._requests.release()
            self._is_deaf = True
        return bytes(on)

    def release(self, *, ended: bool = False) -> bytes:
        """What waited for an edit that it will not get: nothing is looked at any more, or no more comes (`ended`)."""
        over = ended or self._is_off or self._is_deaf
        return self._requests.release() if over and self._edit is not None else b""

    def answered(self, data: bytes) -> None:
        """Bytes of the engine, which are on their way already."""
        if self._is_off:
            return
        try:
            for part in self._answers.parts(data):
                self._answer(part)
        except Exception:  # noqa: BLE001  # as above
            self.close()

    def ended(self) -> None:
        """The engine has said its last byte."""
        try:
            if self._answers.ends_with_connection and self._exchanges:
                self._exchanges.popleft().end(complete=True)
        except Exception:  # noqa: BLE001  # as above
            self.close()

    def close(self) -> None:
        """Nothing more is looked at."""
        self._is_off = True
        while self._exchanges:
            with suppress(Exception):
                self._exchanges.popleft().end(complete=False)

    def _ask(self, part: Part) -> None:
        if part.head is not None:
            if len(self._exchanges) >= MOST_UNDER_WAY:
                raise OverflowError
            if part.head.method == "CONNECT":
                raise NotHttp  # what follows is none
            self._asking = self._begin(part.head)
            self._exchanges.append(self._asking)
        elif self._asking is not None:
            self._asking.asked(part.body)
        if part.ended and self._asking is not None:
            self._asking.asked_all()
            self._asking = None

    def _answer(self, part: Part) -> None:
        exchange = self._exchanges[0] if self._exchanges else None
        head = part.head
        if head is not None:
            if head.status == SWITCHING:
                self.close()
                return
            if head.status < 200:  # one that comes before the answer, as 100 Continue
                return
            if exchange is not None:
                exchange.answers(head)
                if exchange.method == "HEAD" and not part.ended:
                    self._answers.skip_body()
                    part = Part(part.raw, ended=True)
        elif exchange is not None:
            exchange.body(part.body)
        if part.ended and exchange is not None:
            self._exchanges.popleft().end(complete=True)
