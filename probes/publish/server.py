"""A loopback HTTP server for the counts of this process: `GET /metrics` and `GET /version`, and nothing else."""

import socket
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from json import dumps
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Thread

from .. import VERSION
from .counts import Counts
from .text import CONTENT_TYPE, exposition

HOST = "127.0.0.1"
NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""As what it may be addressed: a web page that lets its own name point here is refused."""
MOST_CONNECTIONS = 16
SLOWEST_S = 5.0
"""Seconds that a client may let us wait."""


class Server:
    """Serves in daemon threads, from its making until `stop` or the end of the process."""

    def __init__(self, counts: Counts, observer: str, port: int = 0) -> None:
        """Listens.

        Args:
            counts: what it publishes.
            observer: who has counted: "hook", "proxy".
            port: 0 takes any that is free.

        Raises:
            OSError: the port is taken, or there is no loopback.
            OverflowError: no port has this number.
            RuntimeError: no thread can be started.
        """
        self._listener = _Listener(counts, observer, port)
        self.url = f"http://{HOST}:{self._listener.server_address[1]}"
        try:
            Thread(target=self._listener.serve_forever, name="llmtop", daemon=True).start()
        except RuntimeError:
            self._listener.server_close()
            raise

    def stop(self) -> None:
        """Ends it; takes up to half a second."""
        self._listener.shutdown()
        self._listener.server_close()

    def let_go(self) -> None:
        """Closes the socket in a forked child, where no thread serves it: the parent goes on."""
        with suppress(OSError):
            self._listener.socket.close()


class _Listener(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, counts: Counts, observer: str, port: int) -> None:
        self.counts = counts
        self.observer = observer
        self._free = BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((HOST, port), _Answer)

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether there is a thread left for it; `process_request_thread` gives it back."""
        del request, client_address
        return self._free.acquire(blocking=False)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is nobody's business: nothing is printed."""


class _Answer(BaseHTTPRequestHandler):
    server: _Listener
    timeout = SLOWEST_S

    def do_GET(self) -> None:  # http.server calls it so
        name = self.headers.get("Host", HOST)
        if (name if name.endswith("]") else name.rpartition(":")[0] or name).lower() not in NAMES:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"addressed by a name that is not this machine's\n")
        elif self.path == "/metrics":
            self._send(HTTPStatus.OK, CONTENT_TYPE, exposition(self.server.counts, self.server.observer))
        elif self.path == "/version":
            told = {"name": "llmtop", "version": VERSION, "observer": self.server.observer}
            self._send(HTTPStatus.OK, "application/json", dumps(told).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"GET /metrics or /version\n")

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "llmtop"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in http.server
        """Nothing is printed into other people's programs."""
