"""A simulation in a process of its own: `python -m tests.tune.simulation SETTINGS.json`.

Speaks as llama-server does, with bodies as recorded from one; the speed is that of a published sweep at the power limit
that the simulated NVML has now. Nothing of it tells how fast any engine is. POST /simulation changes it while it runs.
"""

import copy
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from .curve import Noise, curve
from .gpu import Gpus
from .serving import ANSWER, Serving, Slot

RECORDED = Path(__file__).parents[1] / "data" / "llama-server"
MODEL = "simulated-27b.gguf"
WEIGHTS = 12 << 30


class Simulation:
    """What the settings say, running."""

    def __init__(self, settings: dict[str, Any]) -> None:
        seed = settings["seed"]
        decode = curve(settings["decode"])
        prefill = curve(settings["prefill"]) if settings["prefill"] else None
        count = settings["gpus"]
        noise = Noise(seed + 1, sigma=settings["power_noise"])
        state = Path(settings["state"])
        self.gpus = Gpus(state, decode, count=count, pid=os.getpid(), noise=noise, lag_s=settings["lag_s"])
        self.gpus.write(None)
        names = {"sigma": "noise", "memory_s": "noise_memory_s", "drift_per_hour": "drift_per_hour"}
        self.serving = Serving(
            self.gpus,
            decode,
            prefill,
            noise=Noise(seed, **{name: settings[of] for name, of in names.items()}),
            slots=settings["slots"],
            load=settings["load"],
            own_streams=settings["streams"] or decode.streams,
            scale=settings["scale"],
            seed=seed,
        )
        for name, then in (
            ("stop_after_s", lambda: self.change({"load": "off"})),
            ("die_after_s", lambda: self.change({"die": True})),
            ("vanish_after_s", lambda: self.change({"vanish": count - 1})),
        ):
            if settings[name] is not None:
                timer = threading.Timer(settings[name], then)
                timer.daemon = True
                timer.start()

    def change(self, wish: dict[str, Any]) -> None:
        """Does at once what is wished: load, die, vanish, return, forbid."""
        self.gpus.forbidden = wish.get("forbid", self.gpus.forbidden)
        if "load" in wish:
            self.serving.load = wish["load"]
        if "vanish" in wish:
            self.gpus.lost.add(wish["vanish"])
        if "return" in wish:
            self.gpus.lost.discard(wish["return"])
        if wish.get("die"):
            os._exit(9)

    def slots(self) -> list[dict[str, Any]]:
        """The body of GET /slots."""
        recorded = json.loads((RECORDED / "decoding.slots.json").read_bytes())[0]
        with self.serving.changed:
            return [_told(slot, recorded) for slot in self.serving.slots]

    def metrics(self) -> str:
        """The body of GET /metrics."""
        serving = self.serving
        busy = sum(slot.busy for slot in serving.slots)
        text = (RECORDED / "decoding.metrics.txt").read_text()
        for name, value in (
            ("prompt_tokens_total", serving.read_in),
            ("n_decode_total", serving.steps),
            ("n_busy_slots_per_decode", 1),
            ("requests_processing", busy),
            ("requests_deferred", serving.waiting),
        ):
            text = re.sub(rf"^llamacpp:{name} .*$", f"llamacpp:{name} {value}", text, flags=re.MULTILINE)
        return text

    def props(self) -> dict[str, Any]:
        """The body of GET /props."""
        recorded: dict[str, Any] = json.loads((RECORDED / "idle.props.json").read_bytes())
        names = {"model_path": f"/models/{MODEL}", "model_alias": MODEL, "total_slots": len(self.serving.slots)}
        return recorded | names | {"model_ftype": "Q3_K - Medium", "build_info": "simulation"}


def _told(slot: Slot, recorded: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(recorded)
    tokens = slot.processed + slot.decoded if slot.busy else slot.kept
    found |= {
        "id": slot.number,
        "is_processing": slot.busy,
        "id_task": slot.task,
        "n_prompt_tokens": tokens,
        "n_prompt_tokens_processed": slot.processed,
        "n_prompt_tokens_cache": 0,
    }
    found["next_token"][0] |= {"n_decoded": slot.decoded, "n_remain": slot.most - slot.decoded if slot.busy else -1}
    return found


class Door(BaseHTTPRequestHandler):
    """HTTP."""

    protocol_version = "HTTP/1.1"
    simulation: ClassVar[Simulation]

    def version_string(self) -> str:
        return "llama.cpp"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as its parent calls it
        """Says nothing."""

    def do_GET(self) -> None:
        meta = {"n_params": 27_000_000_000, "size": WEIGHTS, "n_ctx_train": 32768, "ftype": "Q3_K - Medium"}
        models = {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "llamacpp", "meta": meta}]}
        answers: dict[str, Callable[[], object]] = {
            "/health": lambda: {"status": "ok"},
            "/props": self.simulation.props,
            "/slots": self.simulation.slots,
            "/v1/models": lambda: models,
        }
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._send(200, self.simulation.metrics().encode(), "text/plain; version=0.0.4")
        elif path in answers:
            self._json(200, answers[path]())
        else:
            self._json(404, {"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}})

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/simulation":
            self._json(200, {})
            self.simulation.change(asked)
        elif self.path in {"/completion", "/v1/completions", "/v1/chat/completions"}:
            self._complete(asked)
        else:
            self._json(404, {"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}})

    def _complete(self, asked: dict[str, Any]) -> None:
        prompt = str(asked.get("prompt") or asked.get("messages") or "")
        most = asked.get("n_predict") or asked.get("max_tokens") or ANSWER
        length = len(prompt) // 3 + 1
        serving, streams = self.simulation.serving, bool(asked.get("stream"))
        slot, task = serving.take(length, most)
        if streams:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        sent = 0
        try:
            while sent < most:
                with serving.changed:
                    ready = serving.wait(slot, task, sent)
                if ready is None:
                    return
                if streams:
                    self._chunk(b"".join(self._event(self._piece(" bada", None)) for _ in range(ready - sent)))
                sent = ready
            self._finish(asked, length, sent, streams=streams)
        except OSError:
            self.close_connection = True
        finally:
            serving.give_up(slot, task)

    def _finish(self, asked: dict[str, Any], length: int, sent: int, *, streams: bool) -> None:
        usage = {"completion_tokens": sent, "prompt_tokens": length, "total_tokens": sent + length}
        if not streams:
            self._json(200, self._piece(" bada" * sent, "length") | {"usage": usage})
            return
        self._chunk(self._event(self._piece("", "length")))
        options: dict[str, Any] = asked.get("stream_options") or {}
        if options.get("include_usage"):
            self._chunk(self._event(self._piece("", None) | {"choices": [], "usage": usage}))
        if self.path != "/completion":
            self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, text: str, end: str | None) -> dict[str, Any]:
        if self.path == "/completion":
            return {"index": 0, "content": text, "tokens": [1] if text else [], "stop": end is not None}
        chat = self.path.endswith("chat/completions")
        said: dict[str, Any] = {"delta": {"content": text}} if chat else {"text": text, "logprobs": None}
        kind = "chat.completion.chunk" if chat else "text_completion"
        choice = {"index": 0, "finish_reason": end} | said
        return {"choices": [choice], "created": int(time.time()), "model": MODEL, "object": kind, "id": "cmpl-1"}

    def _event(self, piece: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps(piece).encode() + b"\n\n"

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _json(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def follow(parent: int) -> None:
    """Ends with the test that has begun it, however that one ends."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main() -> None:
    threading.Thread(target=follow, args=(os.getppid(),), daemon=True).start()
    settings = json.loads(Path(sys.argv[1]).read_bytes())
    Door.simulation = Simulation(settings)
    server = ThreadingHTTPServer(("127.0.0.1", settings["port"]), Door)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
