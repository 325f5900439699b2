"""Clients and engines that are no more than a list of steps on a socket."""

import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Send:
    data: bytes


@dataclass(frozen=True)
class Await:
    """Reads until so many bytes have come since the beginning."""

    count: int


@dataclass(frozen=True)
class Pause:
    seconds: float = 0.05


@dataclass(frozen=True)
class End:
    """Says that no more comes."""


@dataclass(frozen=True)
class Reset:
    """Ends with a reset."""


Step = Send | Await | Pause | End | Reset


@dataclass
class Heard:
    """What one side has received, and how it ended."""

    data: bytes = b""
    ending: str = ""


def play(sock: socket.socket, steps: Sequence[Step]) -> Heard:
    """Takes the steps, then listens to the end."""
    heard = Heard()
    sock.settimeout(PATIENCE_S)
    with sock:
        try:
            for step in steps:
                match step:
                    case Send(data):
                        sock.sendall(data)
                    case Await(count):
                        while len(heard.data) < count:
                            if not (data := sock.recv(65536)):
                                break
                            heard.data += data
                    case Pause(seconds):
                        time.sleep(seconds)
                    case End():
                        sock.shutdown(socket.SHUT_WR)
                    case Reset():
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return heard
            while data := sock.recv(65536):
                heard.data += data
            heard.ending = "end"
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            heard.ending = "reset"
        except TimeoutError:
            heard.ending = "silence"
    return heard


@dataclass
class Engine:
    """Plays the same steps for each connection."""

    steps: Sequence[Step]
    heard: list[Heard] = field(default_factory=list[Heard])

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._players: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE_S)
        for player in self._players:
            player.join(PATIENCE_S)

    def _play(self, sock: socket.socket) -> None:
        self.heard.append(play(sock, self.steps))

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            player = threading.Thread(target=self._play, args=(sock,), daemon=True)
            player.start()
            self._players.append(player)
