import shutil
import socket
import ssl
import subprocess
import threading
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from llmtop.probes.engines import ENGINES
from llmtop.probes.fetch import Answer, Fetch, FetchError
from llmtop.probes.wire import AGENT

if TYPE_CHECKING:
    from .conftest import Serve

OK = b"HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: text/plain\r\n"
KEY = "sk-very-secret"


def failure(fetch: Fetch, path: str = "/metrics") -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch.get(path)
    return caught.value


def test_an_answer_and_what_was_asked(serve: "Serve") -> None:
    server = serve(OK + b"Content-Length: 4\r\n\r\nbody")
    before = time.monotonic()
    answer = Fetch(server.url, api_key=KEY).get("/slots")
    assert (answer.status, answer.server, answer.content_type, answer.body) == (200, "llama.cpp", "text/plain", b"body")
    assert before < answer.time <= time.monotonic()
    asked = (
        f"GET /slots HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n"
        f"Accept-Encoding: identity\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    )
    assert server.requests == [asked]


def test_agent_names_the_version() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert f"llmtop/{project['version']}" == AGENT


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("127.0.0.1:8080", "no http:// or https:// in '127.0.0.1:8080': try --url http://127.0.0.1:8080"),
        ("localhost:8080/v1", "no http:// or https:// in 'localhost:8080/v1': try --url http://localhost:8080/v1"),
        ("", "no http://"),
        ("ftp://host", "'ftp' is nothing that engines speak"),
        ("http://", "no host"),
        ("http://:8080", "no host"),
        ("http://host:0", "no port 0"),
        ("http://host:65536", "port out of range"),
        ("http://host:http", "port could not be cast"),
        ("http://me:hunter2@host", "no user or password"),
        ("me:hunter2@host:80", "no user or password"),
        ("http://host\r\nX-Evil: 1", "spaces or control characters"),
        ("http://host/a b", "spaces or control characters"),
        ("http://host/\x1b[2J", "spaces or control characters"),
        ("http://host/?a=1", "ends before '?'"),
        ("http://[::1", "IPv6"),
        ("http://[nonsense]", "IPv"),
        ("http://" + "a" * 70, "no host can be called"),
        ("http://a..b\u00e9", "no host can be called"),
    ],
)
def test_bad_urls(url: str, line: str) -> None:
    with pytest.raises(FetchError) as caught:
        Fetch(url)
    assert caught.value.kind == "url"
    assert line.lower() in str(caught.value).lower()
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("HTTP://Host:8080/", "http://host:8080"),
        ("http://host/prefix/", "http://host:80/prefix"),
        ("https://host/v1", "https://host:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://b\u00fccher.example", "http://xn--bcher-kva.example:80"),
    ],
)
def test_good_urls(url: str, base: str) -> None:
    assert Fetch(url).url == base


def test_prefix_is_kept(serve: "Serve") -> None:
    server = serve.paths({"/team/a/metrics": b"yes"})
    assert Fetch(f"{server.url}/team/a/").get("/metrics").body == b"yes"


def test_ipv6(serve: "Serve") -> None:
    try:
        server = serve(OK + b"\r\nsix", host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert Fetch(server.url).get("/").body == b"six"
    assert f"Host: [::1]:{server.port}\r\n" in server.requests[0]


def test_names_are_looked_up(serve: "Serve") -> None:
    server = serve(OK + b"\r\nhere")
    fetch = Fetch(f"http://localhost:{server.port}")
    assert [fetch.get("/").body, fetch.get("/").body] == [b"here", b"here"]


def test_unknown_name() -> None:
    error = failure(Fetch("http://no-such-host.invalid:8080", timeout=5))
    assert error.kind in {"network", "timeout"}
    assert "no-such-host.invalid" in str(error)


def test_slow_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **keywords: object) -> list[object]:
        if keywords["flags"]:
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        time.sleep(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    fetch = Fetch("http://host.example:8080", timeout=0.2)
    threads = threading.active_count()
    assert [failure(fetch).kind for _ in range(3)] == ["timeout"] * 3
    assert threading.active_count() == threads + 1


def test_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = failure(Fetch(f"http://127.0.0.1:{port}"))
    assert (error.kind, str(error)) == ("refused", f"nothing listens on 127.0.0.1:{port}")


def drip(head: bytes, drops: bytes, client: socket.socket) -> None:
    client.sendall(head)
    while True:
        client.sendall(drops)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("head", "drops"),
    [
        (b"", b"H"),
        (OK, b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (OK + b"\r\n", b"x"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_dripping_bytes_meet_the_deadline(serve: "Serve", head: bytes, drops: bytes) -> None:
    server = serve(lambda client, _: drip(head, drops, client))
    start = time.monotonic()
    error = failure(Fetch(server.url, timeout=0.4))
    assert error.kind == "timeout"
    assert str(error) == f"127.0.0.1:{server.port} does not answer within 0.4 s"
    assert time.monotonic() - start < 1.5


def test_no_answer_and_no_accept(serve: "Serve") -> None:
    silent = serve(lambda _, __: time.sleep(2))
    assert failure(Fetch(silent.url, timeout=0.3)).kind == "timeout"
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        start = time.monotonic()
        assert failure(Fetch(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.3)).kind == "timeout"
        assert time.monotonic() - start < 1.5


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 104857600\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n6400000\r\n"],
    ids=["declared", "until close", "one chunk"],
)
def test_gigantic_body_is_not_read(serve: "Serve", head: bytes) -> None:
    sent = 0

    def pour(client: socket.socket, _path: str) -> None:
        nonlocal sent
        client.sendall(OK + head)
        for _ in range(100):
            client.sendall(bytes(1 << 20))
            sent += 1

    error = failure(Fetch(serve(pour).url, limit=1 << 20, timeout=5))
    assert error.kind == "too_big"
    assert "larger than 1 MiB" in str(error)
    assert sent < 20


def test_chunks_and_headers_without_end(serve: "Serve") -> None:
    def chunks(client: socket.socket, path: str) -> None:
        client.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" if path == "/chunks" else b"")
        piece = b"3e8\r\n" + bytes(1000) + b"\r\n" if path == "/chunks" else b"HTTP/1.1 100 Continue\r\n\r\n"
        while True:
            client.sendall(piece * 64)

    fetch = Fetch(serve(chunks).url, limit=1 << 20, timeout=5)
    assert [failure(fetch, path).kind for path in ("/chunks", "/continues")] == ["too_big", "too_big"]


@pytest.mark.parametrize("size", [0, 1023, 1024])
def test_bodies_up_to_the_limit(serve: "Serve", size: int) -> None:
    body = b"x" * size
    server = serve(OK + b"Content-Length: %d\r\n\r\n" % size + body)
    assert Fetch(server.url, limit=1024).get("/").body == body


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Transfer-Encoding: chunked\r\n\r\na\r\nshort",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        OK + b"Content-Len",
        OK,
        b"",
    ],
)
def test_truncated_answers(serve: "Serve", answer: bytes) -> None:
    assert failure(Fetch(serve(answer).url)).kind == "network"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        bytes(range(256)) * 400,
        b"HTTP/9.9\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b",
    ],
)
def test_what_is_not_http(serve: "Serve", answer: bytes) -> None:
    error = failure(Fetch(serve(answer).url))
    assert error.kind == "protocol"
    assert "HTTP" in str(error) or "packed" in str(error)


def test_negative_chunk_is_bounded(serve: "Serve") -> None:
    def pour(client: socket.socket, _path: str) -> None:
        client.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n")
        while True:
            client.sendall(bytes(1 << 16))

    assert failure(Fetch(serve(pour).url, limit=1 << 20)).kind in {"too_big", "protocol"}


def test_ssh_speaks_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        fetch = Fetch(f"http://127.0.0.1:{server.getsockname()[1]}")

        def greet() -> None:
            client, _ = server.accept()
            client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
            client.close()

        threading.Thread(target=greet, daemon=True).start()
        assert failure(fetch).kind in {"protocol", "network"}


def test_reset(serve: "Serve") -> None:
    def reset(client: socket.socket, _path: str) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    assert failure(Fetch(serve(reset).url)).kind == "network"


def test_redirects_are_told_and_not_followed(serve: "Serve") -> None:
    server = serve(b"HTTP/1.1 301 Moved\r\nLocation: https://other\x1b[2J/metrics\r\nContent-Length: 0\r\n\r\n")
    error = failure(Fetch(server.url, api_key=KEY))
    assert error.kind == "redirect"
    assert str(error) == "answers with a redirect to https://other?[2J: give that URL"
    assert len(server.requests) == 1
    nowhere = serve(b"HTTP/1.1 302 Found\r\nLocation: /ui\r\n\r\n")
    assert f"{nowhere.url}/ui" in str(failure(Fetch(nowhere.url)))


@pytest.mark.parametrize("status", [204, 304, 400, 401, 404, 500, 501, 503])
def test_any_other_status_is_an_answer(serve: "Serve", status: int) -> None:
    server = serve(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
    assert Fetch(server.url).get("/").status == status


def test_wrong_content_type_is_an_answer(serve: "Serve") -> None:
    server = serve(b"HTTP/1.0 200 OK\r\nContent-Type: image/\x1b[31m\r\n\r\n<html>")
    assert Fetch(server.url).get("/").content_type == "image/?[31m"


def test_key_is_never_shown(serve: "Serve") -> None:
    fetch = Fetch(serve(b"garbage").url, api_key=KEY)
    error = failure(fetch)
    frames: list[dict[str, object]] = []
    trace = error.__traceback__
    while trace:
        frames.append({**trace.tb_frame.f_locals})
        trace = trace.tb_next
    assert KEY not in repr((fetch, vars(fetch), fetch.only(frozenset()), error, str(error), frames[1:]))
    with pytest.raises(FetchError, match="API key") as caught:
        Fetch("http://host", api_key="bad\r\nX-Evil: 1")
    assert "Evil" not in str(caught.value)


def test_key_may_come_with_a_line_end(serve: "Serve") -> None:
    server = serve(OK + b"\r\n")
    Fetch(server.url, api_key=f"{KEY}\n").get("/")
    assert f"Authorization: Bearer {KEY}\r\n\r\n" in server.requests[0]
    Fetch(server.url, api_key=" ").get("/")
    assert "Authorization" not in server.requests[1]


def test_bodies_are_not_in_the_repr() -> None:
    assert "prompt" not in repr(Answer(200, None, None, b"a prompt", 0.0))


@pytest.mark.parametrize("path", ["", "metrics", "/a b", "/a\r\nX: 1", "/\u00e9"])
def test_paths_are_checked(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        Fetch("http://host").get(path)


def test_engines_ask_what_is_on_their_list_only(serve: "Serve") -> None:
    server = serve.paths({})
    fetch = Fetch(server.url)
    for engine in ENGINES:
        assert engine.PATHS
        assert all(path.startswith("/") for path in engine.PATHS)
        own = fetch.only(engine.PATHS)
        for path in engine.PATHS:
            assert own.get(path).status == 404
        for path in ("/flush_cache", "/terminate", "/health_generate", "/unload", "/models?reload=1"):
            with pytest.raises(ValueError, match="not on the list"):
                own.get(path)
            with pytest.raises(ValueError, match="not on the list"):
                own.only(frozenset({path})).get(path)
    assert all(request.startswith("GET ") for request in server.requests)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed certificates: one for 127.0.0.1, one for another name, one that has expired."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here")
    folder = tmp_path_factory.mktemp("tls")
    made: dict[str, Path] = {}
    for name, extra in {
        "right": ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
        "other": ["-addext", "subjectAltName=DNS:other.example", "-days", "2"],
    }.items():
        made[name] = folder / f"{name}.pem"
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=llmtop test", *extra]
        files = ["-keyout", str(made[name]), "-out", str(folder / "certificate")]
        subprocess.run([*command, *files], check=True, capture_output=True)
        with made[name].open("ab") as file:
            file.write((folder / "certificate").read_bytes())
    return made


def tls_server(serve: "Serve", certificate: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(OK + b"Content-Length: 6\r\n\r\nsecret", tls=context).url


def test_self_signed(serve: "Serve", certificates: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url = tls_server(serve, certificates["right"])
    error = failure(Fetch(url))
    assert error.kind == "tls"
    assert "is not trusted: self" in str(error)
    assert "SSL_CERT_FILE" in str(error)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["right"]))
    assert Fetch(url).get("/").body == b"secret"


def test_certificate_for_another_name(
    serve: "Serve", certificates: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = tls_server(serve, certificates["other"])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["other"]))
    error = failure(Fetch(url))
    assert error.kind == "tls"
    assert "IP address mismatch" in str(error)
    assert "use the name that the certificate is for" in str(error)


def test_tls_where_there_is_none(serve: "Serve") -> None:
    server = serve(OK + b"\r\n")
    url = server.url.replace("http:", "https:")

    def speak(client: socket.socket, _path: str) -> None:
        client.sendall(OK)

    assert failure(Fetch(url, timeout=0.5)).kind in {"tls", "timeout"}
    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]

        def answer() -> None:
            client, _ = plain.accept()
            client.recv(100)
            speak(client, "")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        error = failure(Fetch(f"https://127.0.0.1:{port}"))
    assert (error.kind, str(error)) == (
        "tls",
        f"127.0.0.1:{port} does not speak TLS: try http://127.0.0.1:{port}",
    )


def test_tls_handshake_meets_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        start = time.monotonic()
        assert failure(Fetch(f"https://127.0.0.1:{mute.getsockname()[1]}", timeout=0.3)).kind == "timeout"
        assert time.monotonic() - start < 1.5


def test_a_get_is_cheap(serve: "Serve") -> None:
    fetch = Fetch(serve(OK + b"Content-Length: 50000\r\n\r\n" + bytes(50_000)).url)
    fetch.get("/")
    start = time.thread_time()
    for _ in range(50):
        fetch.get("/")
    assert (time.thread_time() - start) / 50 < 0.001
