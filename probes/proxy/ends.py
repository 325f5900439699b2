"""How a TCP connection ends: with a reset, or not before its last byte has left."""

import os
import socket
import struct
from asyncio import Transport, sleep
from collections.abc import Iterator
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ
from time import monotonic

BLOCK = 256 << 10
FLUSHING_S = 10.0
"""Seconds that the last bytes may take to be received by a client whose connection is to be reset then."""


def prepare(transport: Transport) -> None:
    """A dead peer is noticed in time. Bytes are not held back: asyncio switches Nagle's algorithm off itself."""
    sock = transport.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def reset(transport: Transport) -> None:
    """Ends a connection so that nobody takes it for a clean end. What was not received yet is lost."""
    sock = transport.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def reset_later(transport: Transport) -> None:
    """The same, after all that was written to it has been received."""
    deadline = monotonic() + FLUSHING_S
    while monotonic() < deadline and not transport.is_closing():
        if transport.get_write_buffer_size():
            deadline = monotonic() + FLUSHING_S  # a slow reader may take its time
        elif not _outstanding(transport):
            break
        await sleep(0.02)
    reset(transport)


def remains(transport: Transport) -> Iterator[bytes]:
    """What the kernel had received when a write to the other side failed: an early answer, often."""
    if transport.get_extra_info("ssl_object") is not None:
        return
    with suppress(OSError):
        while data := os.read(transport.get_extra_info("socket").fileno(), BLOCK):
            yield data


def _outstanding(transport: Transport) -> int:
    """Bytes that the kernel has sent or is to send, and nobody has confirmed; 0 where it does not say."""
    try:
        return int.from_bytes(ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4)), "little")
    except OSError:
        return 0
