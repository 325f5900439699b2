"""`llmtop engines` beside real servers: one is read, one wants a key, one is no engine, one hangs, one is not there."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from llmtop.probes.engines import ENGINES

from ..probes.conftest import Server as Answering
from .engine import Server, free_port

ROOT = Path(__file__).parents[2]


def run(*arguments: str, lines: int | None = None) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT / ".src"), "COLUMNS": "160"}
    command = [sys.executable, "-m", "llmtop", "engines", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert not done.stderr
    return "\n".join(done.stdout.splitlines()[:lines])


def urls(places: Sequence[str]) -> list[str]:
    return [word for place in places for word in ("--url", place)]


def test_each_place_says_what_it_is_or_why_it_is_not_read(small_model: Path) -> None:
    page = b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n"
    with (
        Server(small_model) as read,
        Server(small_model, "key=secret") as locked,
        socket.create_server(("127.0.0.1", 0)) as hangs,
    ):
        stranger = Answering(lambda client, _: client.sendall(page))
        hung, nobody = f"http://127.0.0.1:{hangs.getsockname()[1]}", f"http://127.0.0.1:{free_port()}"
        started = time.monotonic()
        shown = run("--no-discover", *urls([read.url, locked.url, stranger.url, hung, nobody]))
        took = time.monotonic() - started
        document = json.loads(run("--json", "--no-discover", *urls([read.url, stranger.url])))
        stranger.close()
    ports = {url: url.rpartition(":")[2] for url in (read.url, locked.url, stranger.url, hung, nobody)}
    lines = [line.partition(": ") for line in shown.splitlines() if line.startswith("port ")]
    said = {who.partition(" (")[0]: problem for who, _, problem in lines}
    assert f"127.0.0.1:{ports[read.url]}" in shown
    assert "GET /slots n_decoded, with every token" in shown
    assert f"port {ports[read.url]}" not in said
    assert said[f"port {ports[locked.url]}"] == "answers 401: set LLMTOP_API_KEY (or --api-key-env NAME)"
    assert said[f"port {ports[stranger.url]}"] == "answers, but is no engine that llmtop knows"
    assert "2 s" in said[f"port {ports[hung]}"]
    assert "nothing listens" in said[f"port {ports[nobody]}"]
    assert took < 15  # they are asked at the same time
    one, other = document["found"]
    assert (one["engine"], one["status"], one["liveness"]) == ("llama.cpp", "idle", "token")
    assert (other["engine"], other["problem"]) == (None, "answers, but is no engine that llmtop knows")


def test_every_engine_is_in_the_table(small_model: Path) -> None:
    del small_model
    shown = run("--no-discover")
    assert shown.startswith("Found here: nothing.")
    listed = {line.split("  ")[0] for line in shown.splitlines()}
    assert {engine.name for engine in ENGINES} - listed == {"llmtop"}
    assert {"CTranslate2", "ExLlamaV2", "ExLlamaV3"} <= listed
