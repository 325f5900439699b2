"""Lemonade with engines that count nothing, and older ones."""

import pytest
from llmtop.probes.engines.lemonade import Lemonade
from llmtop.probes.process import Process

from .conftest import Body, Emulate
from .data import body

COMMAND = ("/usr/bin/lemond",)


def answers(version: str) -> dict[str, Body]:
    return {
        "/v1/models": body("lemonade", "v1_models.json"),
        "/api/v1/health": body("lemonade", f"{version}-health.json"),
        "/api/v1/stats": body("lemonade", "11.7.0-stats.json"),
        "/api/version": b'{"version":"0.9.0"}',
        "/api/tags": b'{"models":[]}',
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("lemond", True),
        ("/opt/bin/lemonade-router --port 8000", True),
        ("/usr/bin/python3 /home/me/.local/bin/lemonade-server-dev serve", True),
        ("lemonade run Qwen3-0.6B-GGUF", False),
        ("llama-server -m x.gguf", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split())
    assert Lemonade.claims(Process(1, words, words[0])) is claimed


def test_an_engine_that_counts_nothing_is_named_with_its_last_speed(emulate: Emulate) -> None:
    lemonade = emulate("Lemonade", answers("11.7.0"), server=None)
    reading = lemonade.read(*COMMAND)
    assert (reading.engine, reading.version, reading.status) == ("Lemonade", "11.7.0", "ok")
    assert reading.model is not None
    assert reading.model.name == "Llama-3.2-1B-Instruct-Hybrid"
    assert (reading.last_decode_tps, reading.decode_tps, reading.liveness) == (33.33, None, None)
    assert reading.problem is not None
    assert "llmtop proxy" in reading.problem
    assert set(lemonade.paths) == {"/api/v1/health", "/api/v1/stats"}, "an unknown path is an error in its log"


def test_it_is_idle_when_it_says_so(emulate: Emulate) -> None:
    said = answers("11.7.0")
    said["/api/v1/health"] = body("lemonade", "11.7.0-health.json").replace(b'"is_busy":true', b'"is_busy":false')
    assert emulate("Lemonade", said, server=None).read(*COMMAND).status == "idle"


def test_one_that_does_not_say_is_not_called_idle(emulate: Emulate) -> None:
    assert emulate("Lemonade", answers("9.4.0"), server=None).read(*COMMAND).status == "ok"


def test_the_server_in_python_names_one_model(emulate: Emulate) -> None:
    lemonade = emulate("Lemonade", answers("8.1.0"))
    reading = lemonade.read("python3", "/usr/local/bin/lemonade-server-dev", "serve")
    assert reading.model is not None
    assert (reading.model.name, reading.version) == ("Qwen3-0.6B-GGUF", None)


def test_one_far_away_is_known_by_its_owner_and_not_for_ollama(emulate: Emulate) -> None:
    assert emulate("Lemonade", answers("11.7.0"), server=None).read().engine == "Lemonade"


def test_the_key_of_a_locked_one_is_asked_for(emulate: Emulate) -> None:
    locked: dict[str, Body] = {"/api/v1/health": "401 Unauthorized"}
    assert emulate("Lemonade", locked, server=None).read(*COMMAND).status == "unauthorized"


def test_speeds_that_are_not_there_are_no_trouble(emulate: Emulate) -> None:
    said = answers("11.7.0") | {"/api/v1/stats": "500 Internal Server Error"}
    reading = emulate("Lemonade", said, server=None).read(*COMMAND)
    assert (reading.status, reading.last_decode_tps) == ("ok", None)
