"""Ollama without a llama-server that can be seen: far away, older, or with an MLX model; and who answers its routes."""

from pathlib import Path

import pytest
from llmtop.probes.engines.contract import Endpoint, Host, Seen
from llmtop.probes.engines.ollama import Ollama
from llmtop.probes.fetch import Fetch
from llmtop.probes.process import Process
from llmtop.probes.sample import Engine, ModelFacts

from .conftest import Body, Emulate
from .data import body

GIN = b"404 page not found"
SERVE = ("/usr/local/bin/ollama", "serve")


def answers(ps: bytes, version: str = "0.30.1") -> dict[str, Body]:
    return {
        "/version": "404 Not Found",
        "/v1/models": body("ollama", "v1_models.json"),
        "/api/version": b'{"version":"%s"}' % version.encode(),
        "/api/ps": ps,
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("/usr/local/bin/ollama serve", True),
        ("ollama start", True),
        (r"C:\Users\me\AppData\Local\Programs\Ollama\ollama.exe serve", True),
        ("ollama run llama3.2", False),
        ("ollama runner --model /blobs/sha256-0 --port 40001", False),
        ("ollama runner --mlx-engine --model x --port 40001", False),
        ("/usr/lib/ollama/llama-server --model /blobs/sha256-0 --port 40001", False),
        ("vim ollama serve", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split(" ")) if "C:" not in command else (command.rpartition(" ")[0], "serve")
    assert Ollama.claims(Process(1, words, words[0])) is claimed


def test_an_older_one_tells_what_is_loaded_and_asks_for_a_proxy(emulate: Emulate) -> None:
    ollama = emulate("Ollama", answers(body("ollama", "0.5.7-ps.json"), "0.5.7"), server=None)
    reading = ollama.read(*SERVE)
    assert (reading.engine, reading.status, reading.version) == ("Ollama", "ok", "0.5.7")
    assert reading.model is not None
    assert (reading.model.name, reading.model.quantization) == ("llama3.2:1b", "Q8_0")
    assert reading.model.weight_bytes is None, "`size` counts more than the weights"
    assert (reading.decode_tokens, reading.decode_tps, reading.liveness) == (None, None, None)
    assert (
        reading.problem == f"publishes no live count: run llmtop proxy --upstream {ollama.url} and point clients at it"
    )


def test_two_loaded_models_are_both_named(emulate: Emulate) -> None:
    reading = emulate("Ollama", answers(body("ollama", "0.30.1-ps.json")), server=None).read(*SERVE)
    assert reading.model is not None
    assert reading.model.name == "gemma3:4b, qwen3:0.6b"


def test_nothing_loaded_is_idle(emulate: Emulate) -> None:
    reading = emulate("Ollama", answers(b'{"models":[]}'), server=None).read(*SERVE)
    assert (reading.status, reading.problem, reading.model) == ("idle", "no model loaded", None)


def test_one_far_away_is_known_by_its_404_and_its_owner(emulate: Emulate) -> None:
    """Nobody knows its process; gin's 404 has a body of its own."""
    ollama = emulate("Ollama", answers(b'{"models":[]}'), server=None)
    ollama.not_found = GIN
    assert ollama.read().engine == "Ollama"


def test_it_is_asked_now_and_then_only(emulate: Emulate) -> None:
    """Each request is a line in its log."""
    ollama = emulate("Ollama", answers(b'{"models":[]}'), server=None)
    source = ollama.source(*SERVE)
    for _ in range(20):
        source.read()
    assert ollama.paths.count("/api/ps") == 1
    assert "/v1/models" not in ollama.paths


@pytest.mark.parametrize("ps", [b"<html>", b"[]", b'{"models":null}', b"{}", "500 Internal Server Error"])
def test_wrong_answers_are_one_clear_line(emulate: Emulate, ps: Body) -> None:
    reading = emulate("Ollama", {**answers(b""), "/api/ps": ps}, server=None).read(*SERVE)
    assert reading.status == "unsupported"
    assert reading.problem is not None
    assert "/api/ps" in reading.problem


LIKE_OLLAMA: dict[str, Body] = {
    "/api/version": b'{"version":"0.7.0"}',
    "/api/ps": body("koboldcpp", "as-ollama-ps.json"),
    "/api/tags": body("koboldcpp", "as-ollama-ps.json"),
}


@pytest.mark.parametrize(
    ("server", "models", "not_found"),
    [
        ("uvicorn", b'{"data":[{"id":"a","object":"model","owned_by":"sglang"}]}', b'{"detail":"Not Found"}'),
        ("KoboldCppServer", body("koboldcpp", "v1_models.json"), b"Error: KoboldCpp HTTP Server is running"),
        (None, body("lemonade", "v1_models.json"), b'{"error":{"message":"The requested endpoint does not exist"}}'),
        (None, body("llama-swap", "v1_models.json"), GIN),
        ("llama.cpp", b'{"data":[{"id":"a","owned_by":"llamacpp"}]}', b'{"error":{"code":404}}'),
    ],
    ids=["SGLang", "KoboldCpp", "Lemonade", "llama-swap", "llama.cpp"],
)
def test_who_answers_its_routes_is_not_taken_for_it(
    emulate: Emulate,
    monkeypatch: pytest.MonkeyPatch,
    server: str | None,
    models: bytes,
    not_found: bytes,
) -> None:
    """Not even on its port, when nobody knows the process there."""
    other = emulate(None, {**LIKE_OLLAMA, "/v1/models": models}, server=server)
    other.not_found = not_found
    monkeypatch.setattr(Ollama, "ports", (Seen(Endpoint(url=other.url), Fetch(other.url)).port,))
    seen = Seen(Endpoint(url=other.url), Fetch(other.url))
    assert Ollama.match(seen, Fetch(other.url)) is None


def test_the_row_of_a_child_without_a_name_keeps_its_own(tmp_path: Path, emulate: Emulate) -> None:
    """The host hangs or knows the model by nothing: the file's name is better than none."""
    answers: dict[str, Body] = {"/api/version": b'{"version":"0.30.1"}', "/api/ps": "500 Internal Server Error"}
    ollama = emulate("Ollama", answers)
    host = Host(url=ollama.url, process=Process(1, SERVE, "ollama"))
    child = Process(2, ("llama-server", "--model", str(tmp_path / "sha256-0")), "llama-server")
    served = Ollama.present(host, child, Fetch(ollama.url).only(Ollama.PATHS))
    facts = ModelFacts(name="sha256-0", source="GGUF header", path=str(tmp_path / "sha256-0"))
    reading = served(Engine(engine="llama.cpp", url="http://127.0.0.1:1", status="idle", model=facts))
    assert (reading.engine, reading.url, reading.version) == ("Ollama", ollama.url, "0.30.1")
    assert reading.model == facts
    assert ollama.paths.count("/api/ps") == 1
    served(reading)
    assert ollama.paths.count("/api/ps") == 1, "it is not asked with every reading"
