"""A real server on a loopback port that says exactly what a test wants it to say."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import pytest

Reply = Callable[[socket.socket, str], None]


class Server:
    """Accepts connections, reads one request head from each, and lets `reply` answer its path."""

    def __init__(self, reply: Reply, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family)
        self._reply = reply
        self._tls = tls
        self.requests: list[str] = []
        self.port: int = self._socket.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{name}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def paths(self) -> list[str]:
        return [request.split(" ")[1] for request in self.requests]

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            client = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with client:
                head = b""
                while b"\r\n\r\n" not in head and (more := client.recv(4096)):
                    head += more
                self.requests.append(head.decode(errors="replace"))
                self._reply(client, self.paths[-1])


def http(body: bytes, status: str = "200 OK", server: str = "uvicorn", kind: str = "text/plain") -> bytes:
    head = f"HTTP/1.1 {status}\r\nserver: {server}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Serve:
    """Starts servers, and ends them with the test."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    def __call__(self, reply: Reply | bytes, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Server:
        def same(client: socket.socket, _path: str) -> None:
            client.sendall(reply if isinstance(reply, bytes) else b"")

        server = Server(same if isinstance(reply, bytes) else reply, host=host, tls=tls)
        self._servers.append(server)
        return server

    def paths(self, bodies: Mapping[str, bytes | str], *, server: str = "uvicorn") -> Server:
        """An HTTP server: a body of bytes comes with 200, a text is the status line of an empty answer."""

        def reply(client: socket.socket, path: str) -> None:
            answer = bodies.get(path, "404 Not Found")
            client.sendall(http(answer, server=server) if isinstance(answer, bytes) else http(b"{}", answer, server))

        return self(reply)

    def close(self) -> None:
        for server in self._servers:
            server.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = Serve()
    yield servers
    servers.close()
