"""What Ollama is to those who look at it from outside: `ollama serve`, with a real llama-server as its child.

The environment says where it listens (OLLAMA_HOST), where the model is (OLLAMA_MODELS) and what to run as its child
(LLAMA_SERVER). Names and bodies are those of Ollama 0.33 (server/routes.go, llm/llama_server.go).
"""

import json
import os
import socket
import subprocess
import time
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

PORT = int(os.environ["OLLAMA_HOST"].rpartition(":")[2])
BLOB = next(Path(os.environ["OLLAMA_MODELS"]).glob("blobs/sha256-*"))
DETAILS = {"format": "gguf", "family": "llama", "parameter_size": "134M", "quantization_level": "Q4_0"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_child(port: int) -> None:
    program, script = os.environ["LLAMA_SERVER"].split(os.pathsep)
    flags = ["--host", "127.0.0.1", "--no-webui", "--offline", "-c", "8192", "-np", "4", "--log-verbosity", "4"]
    subprocess.Popen([program, script, "--model", str(BLOB), "--port", str(port), *flags])
    while True:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)


class Ollama(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    child: ClassVar[int]

    def do_GET(self) -> None:
        match self.path:
            case "/":
                self.answer(200, b"Ollama is running", "text/plain; charset=utf-8")
            case "/api/version":
                self.answer(200, b'{"version":"0.33.0"}')
            case "/api/ps":
                size = BLOB.stat().st_size
                running = {"name": "small:latest", "model": "small:latest", "size": size, "size_vram": 0}
                listed = {"models": [running | {"details": DETAILS, "context_length": 2048}]}
                self.answer(200, json.dumps(listed).encode())
            case "/v1/models":
                model = {"id": "small:latest", "object": "model", "created": 1795595036, "owned_by": "library"}
                self.answer(200, json.dumps({"object": "list", "data": [model]}).encode())
            case _:
                self.answer(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = {
            "prompt": asked["prompt"],
            "n_predict": asked["options"]["num_predict"],
            "ignore_eos": True,
            "stream": True,
        }
        connection = HTTPConnection("127.0.0.1", self.child, timeout=600)
        connection.request("POST", "/completion", json.dumps(question), {"Content-Type": "application/json"})
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):
            for line in connection.getresponse():
                if line.startswith(b"data: "):
                    self.piece(json.loads(line[6:]))
            self.wfile.write(b"0\r\n\r\n")
        connection.close()

    def piece(self, said: dict[str, Any]) -> None:
        done = bool(said.get("stop"))
        line: dict[str, Any] = {"model": "small:latest", "response": said.get("content", ""), "done": done}
        if done:
            timings = said["timings"]
            line |= {"eval_count": timings["predicted_n"], "eval_duration": int(timings["predicted_ms"] * 1e6)}
        body = json.dumps(line).encode() + b"\n"
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    def answer(self, status: int, body: bytes, kind: str = "application/json; charset=utf-8") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        del format


Ollama.child = free_port()
start_child(Ollama.child)
ThreadingHTTPServer(("127.0.0.1", PORT), Ollama).serve_forever()
