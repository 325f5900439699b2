"""llama-swap where the engines behind it cannot be seen as its children."""

import pytest
from llmtop.probes.engines import listing
from llmtop.probes.engines.contract import Endpoint
from llmtop.probes.engines.followed import Followed
from llmtop.probes.engines.llama_swap import LlamaSwap
from llmtop.probes.process import Process

from .conftest import Body, Emulate, once
from .data import body

COMMAND = ("/usr/local/bin/llama-swap", "-config", "config.yaml", "-listen", ":8080")


def answers(running: Body) -> dict[str, Body]:
    return {
        "/v1/models": body("llama-swap", "v1_models.json"),
        "/running": running,
        "/api/version": b'{"version":"v250","commit":"0bdb372","build_date":"2026-08-22"}',
    }


@pytest.mark.parametrize(
    ("command", "claimed"),
    [
        ("llama-swap -config c.yaml", True),
        ("/app/llama-swap-linux-amd64 --listen :9000", True),
        ("llama-server -m x.gguf", False),
        ("bash llama-swap.sh", False),
    ],
)
def test_its_command_line(command: str, claimed: bool) -> None:
    words = tuple(command.split())
    assert LlamaSwap.claims(Process(1, words, words[0])) is claimed


def test_v150_names_what_runs_and_nothing_more(emulate: Emulate) -> None:
    reading = emulate("llama-swap", answers(body("llama-swap", "v150-running.json")), server=None).read(*COMMAND)
    assert (reading.engine, reading.status, reading.decode_tps) == ("llama-swap", "ok", None)
    assert reading.model is not None
    assert reading.model.name == "qwen3-8b"
    assert reading.problem == "counts nothing itself: name the engine behind it"


def test_one_that_nobody_claims_is_known_by_its_owner(emulate: Emulate) -> None:
    """The engine that it names is not there."""
    swap = emulate(
        "llama-swap", answers(body("llama-swap", "v190-running.json").replace(b':5800"', b':1"')), server=None
    )
    reading = swap.read()
    assert reading.engine == "llama-swap"
    assert reading.problem is not None
    assert reading.problem.endswith("it says http://127.0.0.1:1")


def test_engines_of_another_machine_are_not_looked_for_on_this_one(emulate: Emulate) -> None:
    """What it calls 127.0.0.1 is not ours. The address is one of those kept for documents (RFC 5737)."""
    ours = emulate(None, {})
    assert Followed(Endpoint(url="http://192.0.2.1:8080")).read({ours.url: "qwen3-8b"}) is None
    assert ours.paths == []


def test_the_key_of_a_locked_one_is_asked_for(emulate: Emulate) -> None:
    locked: dict[str, Body] = {"/running": "401 Unauthorized", "/v1/models": "401 Unauthorized"}
    assert emulate("llama-swap", locked, server=None).read(*COMMAND).status == "unauthorized"


@pytest.mark.parametrize("running", [b"<html>", b"{}", b'{"running":null}', "500 Internal Server Error"])
def test_wrong_answers_are_one_clear_line(emulate: Emulate, running: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "EVERY_S", 0.0)
    swap = emulate("llama-swap", answers(b'{"running":[]}'), server=None)
    source = swap.source(*COMMAND)
    assert once(source).status == "idle"
    swap.answers["/running"] = running
    reading = once(source)
    assert reading.status == "unsupported"
    assert "/running" in (reading.problem or "")
