"""One connection of a client, tied to one connection to the engine. What is read on the one is written to the other."""

import asyncio
from asyncio import BaseTransport, Task, Transport
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Protocol, cast

from msgspec.json import encode

from .ends import prepare, remains, reset, reset_later
from .watch import Watch

HIGH_WATER = 64 << 10
"""Bytes waiting to be written to one side at which the other side is read no more."""
LINGERING_S = 30.0
"""Seconds without a byte after which a client that does not hang up is hung up on, once the engine has."""
QUIET_S = 2.0
UNREACHABLE = "upstream_unreachable"


class Upstream(Protocol):
    """Connects to the engine."""

    def __call__(self, side: asyncio.Protocol) -> Coroutine[None, None, None]:
        """Opens a connection for this protocol.

        Raises:
            UnreachableError: there is none; its text is one line.
        """
        ...


class UnreachableError(Exception):
    """The engine cannot be connected to, or must not be. Its text is one line for the client."""


class Link(asyncio.Protocol):
    """The client's side; the engine's side hangs on it."""

    def __init__(self, connect: Upstream, watch: Watch, edits: bool, done: Callable[["Link"], None]) -> None:
        """Waits for the client.

        Args:
            connect: opens the connection to the engine.
            watch: counts.
            edits: whether the watch changes what is asked.
            done: called once both sides are closed.
        """
        self._connect = connect
        self.watch = watch
        self._edits = edits
        self._done = done
        self._engine = _Engine(self)
        self._transport: Transport | None = None
        self._connecting: Task[None] | None = None
        self._breaking: Task[None] | None = None
        self._refusal = ""
        self._has_refused = False
        self._ended = False
        self._moved = False
        self._answered = 0.0
        self.bytes = 0
        """What has passed, both ways."""

    @property
    def is_busy(self) -> bool:
        """Whether an answer is outstanding; where that cannot be told, whether one has come just now."""
        known = self.watch.is_busy
        return monotonic() - self._answered < QUIET_S if known is None else known

    # The client speaks

    def connection_made(self, transport: BaseTransport) -> None:
        """It has come; it is listened to once there is somebody to relay to."""
        self._transport = cast("Transport", transport)
        prepare(self._transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._transport.pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        try:
            await self._connect(self._engine)
        except UnreachableError as error:
            self._engine.is_gone = True
            self._refusal = str(error)
        if self._transport is None or self._transport.is_closing():
            self._engine.reset()
        else:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client: they go on first, and are looked at then."""
        self._moved = True
        if self._refusal and not self._has_refused:
            self._has_refused = True
            self._refuse(data)
        if self._engine.is_gone:
            return
        self.bytes += len(data)
        if self._edits:
            self._engine.write(self.watch.asked(data))
        else:
            self._engine.write(data)
            self.watch.asked(data)

    def eof_received(self) -> bool:
        """It will say no more. Whether it may still listen: most often it has gone, and the engine hears so."""
        self._ended = True
        if self._engine.is_gone or self._engine.has_ended:
            return False
        self._engine.write(self.watch.release(ended=True))
        if not self._engine.end():  # TLS knows no half of a connection: nobody is left to answer to
            self._engine.reset()
            return False
        return True

    def pause_writing(self) -> None:
        """It reads too slowly: so does the engine write."""
        self._engine.pause()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._engine.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, with a reset or properly; the same happens to the engine's side."""
        self._transport = None
        self.watch.close()
        if exc is None:
            self._engine.close()
        else:
            self._engine.reset()
        self._done(self)

    # The engine speaks

    def answer(self, data: bytes) -> None:
        """Bytes of the engine."""
        if self._transport is not None:
            self._transport.write(data)
        self.bytes += len(data)
        self._moved = True
        self._answered = monotonic()
        self.watch.answered(data)
        if self._edits and (held := self.watch.release()):
            self._engine.write(held)

    def engine_ended(self) -> None:
        """The engine has said its last byte."""
        self.watch.ended()
        if self._transport is None:
            return
        if self._ended:
            self._transport.close()
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._linger()

    def engine_lost(self, *, broken: bool) -> None:
        """The connection to the engine is gone. `broken`: in the middle of what it had to say."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.resume_reading()
        if not broken:
            if self._ended:
                self._transport.close()
        elif self.watch.tells_its_end:
            self.engine_ended()
            self.watch.close()
        else:
            self.watch.close()
            self._breaking = asyncio.get_running_loop().create_task(reset_later(self._transport))

    def pause(self) -> None:
        """The engine takes no more for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """It does again."""
        if self._transport is not None:
            self._transport.resume_reading()

    # We end it

    def close(self) -> None:
        """Ends both sides at once."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            if self.is_busy:
                reset(self._transport)
            else:
                self._transport.close()

    def _refuse(self, request: bytes) -> None:
        """Answers for the engine."""
        error = {"message": f"llmtop proxy: {self._refusal}", "type": UNREACHABLE, "code": 502}
        body = encode({"error": error}) + b"\n"
        head = (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        if self._transport is not None:
            self._transport.write(head if request.startswith(b"HEAD ") else head + body)
            self._transport.write_eof()
            self._linger()

    def _linger(self) -> None:
        """Waits until the client hangs up, too: whoever closes on unread bytes takes the answer away from it."""
        self._moved = False
        asyncio.get_running_loop().call_later(LINGERING_S, self._lose_patience)

    def _lose_patience(self) -> None:
        if self._transport is None:
            return
        if self._moved or self._transport.get_write_buffer_size():
            self._linger()
        else:
            self._transport.close()


class _Engine(asyncio.Protocol):
    """The engine's side."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._transport: Transport | None = None
        self.is_gone = False
        self.has_ended = False

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast("Transport", transport)
        prepare(self._transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        self._link.answer(data)

    def eof_received(self) -> bool:
        self.has_ended = True
        self._link.engine_ended()
        return self._transport is not None and self._transport.can_write_eof()

    def pause_writing(self) -> None:
        self._link.pause()

    def resume_writing(self) -> None:
        self._link.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        transport, self._transport = self._transport, None
        self.is_gone = True
        if exc is not None and not self.has_ended and transport is not None:
            for data in remains(transport):
                self._link.answer(data)
        self._link.engine_lost(broken=exc is not None and not self.has_ended)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def end(self) -> bool:
        """No more comes from the client. Whether that could be said without ending all."""
        if self._transport is None or not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is not None:
            reset(self._transport)
