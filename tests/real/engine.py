"""A real llama-server (from the xllamacpp wheel) and real clients that count what they are sent."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

SERVE = Path(__file__).parent / "serve.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A llama-server in a process of its own, which can be killed and started again on its port."""

    def __init__(self, model: Path, *flags: str, log: Path | None = None) -> None:
        self.model, self.flags, self.port, self.log = model, flags, free_port(), log
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *, ready: bool = True) -> None:
        command = [sys.executable, str(SERVE), str(self.model), str(self.port), *self.flags]
        with Path(self.log or os.devnull).open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while ready and not self._healthy():
            assert self._process.poll() is None, "the server died"
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError):
            connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False


class Clients:
    """Streams that never end until told to; each notes the moment of every token it is sent."""

    def __init__(
        self, server: Server, streams: int, *, tokens: int = 200, prompt: str = "bada keke lulu ", key: str = ""
    ) -> None:
        self._server, self._tokens, self._prompt, self._key = server, tokens, prompt, key
        self._stopped = threading.Event()
        self.moments: list[float] = []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(streams)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(20)

    def rate(self, start: float, end: float) -> float:
        """Tokens/s between two monotonic moments."""
        return sum(start < moment <= end for moment in self.moments) / (end - start)

    def wait_for(self, tokens: int) -> None:
        """Returns when that many tokens have come in all."""
        deadline = time.monotonic() + 60
        while len(self.moments) < tokens:
            assert time.monotonic() < deadline, "no tokens"
            time.sleep(0.01)

    def _run(self, number: int) -> None:
        while not self._stopped.is_set():
            try:
                self._one(number)
            except OSError:
                time.sleep(0.2)

    def _one(self, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        question = {
            "prompt": self._prompt * (5 + number),
            "n_predict": self._tokens,
            "ignore_eos": True,
            "stream": True,
            "cache_prompt": False,
        }
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        connection.request("POST", "/completion", json.dumps(question), headers)
        for line in connection.getresponse():
            if line.startswith(b"data: ") and b'"content":""' not in line:
                self.moments.append(time.monotonic())
            if self._stopped.is_set():
                break
        connection.close()
