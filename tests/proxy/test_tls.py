"""An engine behind https, with a certificate that is looked at."""

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from .corpus import EVENTS, SSE, chunk
from .running import proxy_before
from .wire import Await, End, Send, play

ASKED = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    made = tmp_path_factory.mktemp("tls") / "engine.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=engine", "-days", "2", "-addext",
               "subjectAltName=IP:127.0.0.1", "-keyout", str(made), "-out", str(made) + ".cert"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    made.write_text(made.read_text() + Path(f"{made}.cert").read_text())
    return made


def test_a_stream_passes_through_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.cert")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    answer = SSE + chunk(EVENTS) + b"0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        asked = ASKED % port
        heard: list[bytes] = []

        def serve() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as sock:
                while len(b"".join(heard)) < len(asked):
                    heard.append(sock.recv(1 << 16))
                sock.sendall(answer)
                sock.unwrap()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with proxy_before(f"https://127.0.0.1:{port}") as proxy:
            sent = asked.replace(b"127.0.0.1:%d" % port, b"localhost:8484")
            got = play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(sent), Await(len(answer))])
            thread.join(5)
            assert got.data == answer
            assert b"".join(heard) == asked
            assert proxy.row.generation_tokens.total == 20


def test_a_certificate_that_is_not_trusted_is_one_line(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            with pytest.raises(OSError, match=r"(?i)alert|closed|reset|eof"):
                context.wrap_socket(listener.accept()[0], server_side=True)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with proxy_before(f"https://127.0.0.1:{port}") as proxy:
            answer = play(socket.create_connection(("127.0.0.1", proxy.port)), [Send(ASKED % port), End()]).data
            thread.join(5)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert f"the certificate of 127.0.0.1:{port} is not trusted".encode() in answer
            assert len(proxy.said) == 1
