"""The generated load against a real llama-server, and against servers that serve badly."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from llmtop.tui.demo.model import write
from llmtop.tui.demo.shape import Shape
from llmtop.tui.tune.load import Load

from ..real.engine import Server, free_port
from .door import Asked, Door, answer, stream
from .world import World

KEY = "sk-open-sesame"


class Prompt(NamedTuple):
    ended: float
    tokens: float
    seconds: float


def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    shape = Shape(width=256, layers=4, heads=8, kv_heads=8, head_width=32, feed_forward=512, vocabulary=2000)
    write(path, shape, quantization="Q8_0")
    return path


def ask(port: int, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    return connection.getresponse().read()


def metric(port: int, name: str) -> float:
    found = re.search(rf"^llamacpp:{name} (\S+)$", ask(port, "/metrics").decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def busy(port: int) -> int:
    return sum(slot["is_processing"] for slot in json.loads(ask(port, "/slots")))


def load_threads() -> int:
    return sum(thread.name.startswith("load") for thread in threading.enumerate())


def test_decode_keeps_a_real_engine_busy(model: Path) -> None:
    """Its own count of all that it generated is ours."""
    counts: list[tuple[float, float]] = []
    with Server(model, "slots=2") as server:
        with Load(
            server.url, streams=2, engine="llama.cpp", on_tokens=lambda time, tokens: counts.append((time, tokens))
        ) as load:
            until(lambda: busy(server.port) == 2)
            until(lambda: load.tokens > 3000)
            assert load.problem is None and not load.about
        ended = time.monotonic()
        until(lambda: busy(server.port) == 0, 1.0)
        assert time.monotonic() - ended < 1.0
        assert load_threads() == 0
        assert load.tokens == pytest.approx(metric(server.port, "tokens_predicted_total"), rel=0.03)
    assert [tokens for _, tokens in counts] == sorted(tokens for _, tokens in counts)


def test_prefill_is_what_a_real_engine_has_read_in(model: Path) -> None:
    prompts: list[Prompt] = []
    with Server(model, "slots=2") as server:
        began = time.monotonic()
        with Load(
            server.url,
            phase="prefill",
            engine="llama.cpp",
            on_prompt=lambda ended, tokens, seconds: prompts.append(Prompt(ended, tokens, seconds)),
        ) as load:
            until(lambda: len(prompts) >= 5)
            assert load.tokens == 0.0
        until(lambda: busy(server.port) == 0, 1.0)
        read_in = metric(server.port, "prompt_tokens_total")
    tokens = sum(prompt.tokens for prompt in prompts)
    assert tokens <= read_in <= tokens + 2 * max(prompt.tokens for prompt in prompts)  # and one that was ended
    assert all(1000 < prompt.tokens < 2500 for prompt in prompts)
    assert sum(prompt.seconds for prompt in prompts) < prompts[-1].ended - began


def test_a_phase_may_change_in_the_middle(model: Path) -> None:
    prompts: list[float] = []
    with (
        Server(model, "slots=2") as server,
        Load(
            server.url, streams=2, engine="llama.cpp", on_prompt=lambda _time, tokens, _seconds: prompts.append(tokens)
        ) as load,
    ):
        until(lambda: load.tokens > 100)
        assert prompts == []
        load.phase = "prefill"
        until(lambda: len(prompts) > 2)
        load.phase = "both"
        before = load.tokens
        until(lambda: load.tokens > before + 50)
        assert load.problem is None


def test_a_key_is_needed_and_never_told(model: Path) -> None:
    with Server(model, f"key={KEY}") as server:
        with Load(server.url, api_key="sk-wrong-key") as load:
            until(lambda: load.problem)
            assert load.problem == "the engine wants another API key: set LLMTOP_API_KEY"
        with Load(server.url, api_key=KEY) as load:
            until(lambda: load.tokens > 10)
            assert load.problem is None and KEY not in repr(vars(load))


def test_an_engine_that_dies_and_comes_back(model: Path) -> None:
    with Server(model) as server, Load(server.url, engine="llama.cpp") as load:
        until(lambda: load.tokens > 10)
        server.kill()
        until(lambda: load.problem)
        until(lambda: load.problem == f"nothing listens on 127.0.0.1:{server.port}")
        before = load.tokens
        server.start()
        until(lambda: load.tokens > before)
        until(lambda: load.problem is None)


def test_nobody_there() -> None:
    port = free_port()
    with Load(f"http://127.0.0.1:{port}") as load:
        until(lambda: load.problem)
    assert load.problem == f"nothing listens on 127.0.0.1:{port}"


def test_a_prompt_larger_than_the_context_is_made_smaller() -> None:
    """As llama-server refuses it."""
    sizes: list[int] = []

    def reply(asked: Asked) -> bytes:
        sizes.append(len(asked.body["prompt"].split()))
        if sizes[-1] <= 200:
            return stream(3, usage={"prompt_tokens": 400, "completion_tokens": 3})
        error = {"code": 400, "message": "request (1600 tokens) exceeds the available context size (512 tokens)"}
        return answer(json.dumps({"error": error}).encode(), "400 Bad Request")

    with Door(reply) as door, Load(door.url, phase="prefill") as load:
        until(lambda: len(sizes) > 5)
        assert load.problem is None
    assert sizes[0] == 600 and sizes[4] == 150


def test_what_it_does_not_know_is_left_out() -> None:
    """An engine that refuses every field it does not know."""
    bodies: list[dict[str, object]] = []

    def reply(asked: Asked) -> bytes:
        bodies.append(asked.body)
        if "stream_options" in asked.body:
            return answer(b'{"detail": "extra fields not permitted"}', "422 Unprocessable Entity")
        return stream(7)

    with Door(reply) as door, Load(door.url) as load:
        until(lambda: load.tokens >= 21)
        assert load.problem is None and load.about  # an event is taken for a token
    assert bodies[0]["model"] == "only"
    assert "stream_options" not in bodies[-1]


def test_one_that_only_chats() -> None:
    def reply(asked: Asked) -> bytes:
        if asked.path == "/v1/chat/completions":
            return stream(4, chat=True, usage={"prompt_tokens": 30, "completion_tokens": 8})
        return answer(b"", "405 Method Not Allowed")

    with Door(reply) as door, Load(door.url) as load:
        until(lambda: load.tokens >= 24)  # two tokens an event
        assert not load.about and load.problem is None


def test_prompts_that_were_cached_do_not_count() -> None:
    prompts: list[Prompt] = []
    usage: dict[str, object] = {
        "prompt_tokens": 1600,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 600},
    }
    with (
        Door(lambda _asked: stream(1, usage=usage)) as door,
        Load(
            door.url,
            phase="prefill",
            on_prompt=lambda ended, tokens, seconds: prompts.append(Prompt(ended, tokens, seconds)),
        ),
    ):
        until(lambda: prompts)
    assert prompts[0].tokens == 1000.0


def test_an_engine_that_does_not_tell_how_long_prompts_were() -> None:
    with Door(lambda _asked: stream(1)) as door, Load(door.url, phase="prefill") as load:
        until(lambda: load.problem)
        assert load.problem == "the engine does not tell how long a prompt was: no prefill rate"


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "no such model for sk-open-sesame"}}',
        b"<html>404</html>",
        b'{"error": [[[[',
        b"[1]",
        b'{"a":' * 100_000,
    ],
)
def test_refusals_are_one_clear_line(body: bytes) -> None:
    with Door(lambda _asked: answer(body, "404 Not Found")) as door, Load(door.url, api_key=KEY) as load:
        until(lambda: load.problem)
        problem = load.problem or ""
    assert "404" in problem and "completions" in problem and KEY not in problem and "\n" not in problem


def test_several_models_must_be_told_apart() -> None:
    models = json.dumps({"data": [{"id": "a"}, {"id": "b"}]}).encode()
    with Door(lambda _asked: stream(5), lambda: models) as door, Load(door.url) as load:
        until(lambda: load.problem)
        assert load.problem == "the engine serves several models (a, b): say which"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\ndata: {\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\ndata: [1, 2]\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\ndata: \xff\xfe\r\n\r\n",
        b'HTTP/1.1 200 OK\r\n\r\ndata: {"a":' + b"[" * 100_000 + b"\n",
        b"HTTP/1.1 200 OK\r\n\r\ndata: " + b"x" * (3 << 20),
        b'HTTP/1.1 200 OK\r\n\r\ndata: {"error": {"message": "out of memory"}}\r\n\r\n',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\ndata",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
)
def test_nonsense_is_one_clear_line(answer: bytes) -> None:
    with Door(lambda _asked: answer) as door, Load(door.url) as load:
        until(lambda: load.problem)
        assert load.problem and "\n" not in load.problem and len(load.problem) < 200
        assert load.tokens == 0.0
    assert load_threads() == 0


@contextmanager
def hanging() -> Generator[tuple[int, list[socket.socket]]]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        taken: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    taken.append(door.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield int(door.getsockname()[1]), taken
        for client in taken:
            client.close()


def test_one_that_hangs_is_left_at_once() -> None:
    with hanging() as (port, taken):
        with Load(f"http://127.0.0.1:{port}", streams=3, model="m") as load:
            until(lambda: len(taken) == 3)
            ended = time.monotonic()
        assert time.monotonic() - ended < 1.0
        assert load_threads() == 0
        for client in taken:
            client.settimeout(1.0)
            while client.recv(65536):  # to the end: nothing is open any more
                pass
        assert load.problem is None


def test_a_bad_url_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="no http:// or https://"):
        Load("localhost:8080")
    with pytest.raises(ValueError, match="no header can carry"):
        Load("http://127.0.0.1:1", api_key="ключ")


def test_it_follows_the_simulated_engine(tmp_path: Path) -> None:
    prompts: list[Prompt] = []
    with World(tmp_path / "nvml.txt", scale=4.0, noise=0.0, prefill="3090 prefill A3B") as world:
        with Load(
            world.url, on_prompt=lambda ended, tokens, seconds: prompts.append(Prompt(ended, tokens, seconds))
        ) as load:
            until(lambda: load.tokens > 100)
            before, began = load.tokens, time.monotonic()
            time.sleep(3.0)
            made, seconds = load.tokens - before, time.monotonic() - began
            assert made / seconds == pytest.approx(4 * 51.96, rel=0.15)
            load.phase = "prefill"
            until(lambda: len(prompts) >= 4)
        until(lambda: world.busy() == 0, 2.0)
    tokens, spent = sum(each.tokens for each in prompts), sum(each.seconds for each in prompts)
    assert tokens / spent == pytest.approx(4 * 2900.05, rel=0.25)  # a limit of 450 W is above its sweep


def test_an_engine_that_serves_another_model_after_a_restart() -> None:
    served = ["one"]

    def reply(asked: Asked) -> bytes:
        known = asked.body["model"] == served[0]
        return stream(5) if known else answer(b'{"error": {"message": "no such model"}}', "404 Not Found")

    with Door(reply, lambda: json.dumps({"data": [{"id": served[0]}]}).encode()) as door, Load(door.url) as load:
        until(lambda: load.tokens > 5)
        served[0] = "two"
        until(lambda: load.problem)
        until(lambda: load.problem is None)
